import type { Appendable } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseEventIdWords } from '../../src/format/event-id-words.ts';
import { bodyOf, contentHolds, decodeId, decodeNames, decodeRecordHeader } from '../../src/format/record.ts';
import { segmentSeed } from '../../src/format/segment-id.ts';
import { viewOf } from '../../src/format/view-of.ts';
import { BatchBuffer } from '../../src/log/batch-buffer.ts';

const SEED = segmentSeed('0123456789abcdef');
const ids = new Uint32Array(4);

const appendable = fc.record({
  id: fc.uuid(),
  topic: fc.string({ unit: 'binary', minLength: 1, maxLength: 500 }),
  lane: fc.constantFrom(0, 1, 2, 3),
  flags: fc.integer({ min: 0, max: 255 }),
  type: fc.string({ unit: 'binary', minLength: 1, maxLength: 255 }),
  source: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 255 }),
  correlationId: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  userId: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  projectId: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  timestampMs: fc.constant(0),
  body: fc.uint8Array({ maxLength: 300 }),
}) as fc.Arbitrary<Appendable>;

function encode(event: Appendable, position: number): Buffer {
  const buffer = new BatchBuffer();
  parseEventIdWords(event.id, ids, 0);
  buffer.addRecord(event, { position, recordedAtMs: 1_800_000_000_000, ids, idAt: 0, durableMark: 64, seed: SEED });
  return Buffer.from(buffer.bytes);
}

it('a record comes back as it was given, whatever its names and body hold', () => {
  fc.assert(
    fc.property(appendable, fc.integer({ min: 1, max: 2 ** 52 }), (event, position) => {
      const bytes = encode(event, position);
      expect(bytes.length % 8).toBe(0);
      const header = decodeRecordHeader(bytes, viewOf(bytes), 0, SEED)!;
      expect(contentHolds(bytes, 0, header)).toBe(true);
      expect(header).toMatchObject({ position, recordedAtMs: 1_800_000_000_000, lane: event.lane, flags: event.flags });
      expect(header).toMatchObject({ bytes: bytes.length, durableMark: 64 });
      expect(decodeId(bytes, 0)).toBe(event.id);
      const { topic, type, source, correlationId = '', userId = '', projectId = '' } = event;
      const names = { topic, type, source, correlationId, userId, projectId, causationId: '' };
      expect(decodeNames(bytes, 0, header)).toEqual(names);
      expect(Buffer.compare(bodyOf(bytes, 0, header), event.body)).toBe(0);
    }),
  );
});

it('one changed bit anywhere, padding included, and the record does not verify', () => {
  fc.assert(
    fc.property(appendable, fc.nat(), (event, at) => {
      const bytes = encode(event, 7);
      const bit = at % (bytes.length * 8);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const header = decodeRecordHeader(bytes, viewOf(bytes), 0, SEED);
      expect(header !== undefined && contentHolds(bytes, 0, header)).toBe(false);
    }),
  );
});

it('a record of another segment does not verify', () => {
  const bytes = encode(
    {
      id: '00000000-0000-4000-8000-000000000001',
      topic: 'a',
      lane: 2,
      flags: 0,
      type: 'a',
      source: 's',
      timestampMs: 0,
      body: Buffer.from('{}'),
    },
    1,
  );
  expect(decodeRecordHeader(bytes, viewOf(bytes), 0, segmentSeed('0123456789abcdee'))).toBeUndefined();
});

import { expect, it } from 'vitest';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { refusal } from '../refusal.ts';

const STORED = {
  id: '01923456-789a-7000-8000-000000000000',
  type: 'project.created',
  source: 'projects',
  timestamp: '2026-11-20T08:00:00.123Z',
  version: '1.0',
  topic: 'project.created',
  priority: 2,
  metadata: { tags: ['a'], retryCount: 0, maxRetries: 3, expiresAt: '2026-11-21T08:00:00.000Z', own: { deep: [1] } },
  payload: { list: [{ name: 'x' }] },
};
const decoded = () => decodeEvent(Buffer.from(JSON.stringify(STORED)));

it('gives times back as dates and everything else as it was stored', () => {
  const event = decoded();
  expect(event.timestamp).toEqual(new Date(STORED.timestamp));
  expect(event.metadata.expiresAt).toEqual(new Date(STORED.metadata.expiresAt));
  expect(JSON.parse(JSON.stringify(event))).toEqual(STORED);
});

it('freezes every level: one subscriber must not change what the next one sees', () => {
  const event = decoded() as unknown as {
    payload: { list: { name: string }[] };
    metadata: { own: { deep: number[] } };
  };
  expect(() => (event.payload.list[0]!.name = 'y')).toThrow(TypeError);
  expect(() => event.payload.list.push({ name: 'z' })).toThrow(TypeError);
  expect(() => event.metadata.own.deep.push(2)).toThrow(TypeError);
  expect(() => Object.assign(event, { extra: 1 })).toThrow(TypeError);
  expect(() => Object.assign(event.metadata, { extra: 1 })).toThrow(TypeError);
});

it('reads bytes that are a view into a larger buffer', () => {
  const text = JSON.stringify(STORED);
  const larger = new Uint8Array(Buffer.from(`xx${text}yy`));
  expect(decodeEvent(larger.subarray(2, 2 + Buffer.byteLength(text))).id).toBe(STORED.id);
});

it('names a body that is no JSON by its code, not by a SyntaxError from inside', () => {
  expect(refusal(() => decodeEvent(Buffer.from('{"id":')))).toBe('corrupt_record at undefined');
});

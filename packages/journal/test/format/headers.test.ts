import { expect, it } from 'vitest';
import { checksum } from '../../src/format/checksum.ts';
import { decodeSegmentHeader, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from '../../src/format/segment-header.ts';
import { NO_SEGMENT } from '../../src/format/segment-id.ts';
import { decodeWitnessSector, encodeWitnessSector, NOTHING_WITNESSED } from '../../src/format/witness-sector.ts';

const HEADER = {
  id: '00112233445566aa',
  idSeed: 4_000_000_000,
  first: 2 ** 40,
  follows: 2 ** 40 - 3,
  replaces: NO_SEGMENT,
  createdAtMs: 1_800_000_000_000,
};

it('a segment header comes back, and one changed bit is damage', () => {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  encodeSegmentHeader(HEADER, bytes);
  expect(decodeSegmentHeader(bytes)).toEqual(HEADER);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeSegmentHeader(damaged)).toBeUndefined();
  }
});

it('a header of a newer version is told from a damaged one', () => {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  encodeSegmentHeader(HEADER, bytes);
  bytes.writeUInt16LE(2, 8);
  bytes.writeUInt32LE(checksum(bytes, 0, 60), 60);
  expect(() => decodeSegmentHeader(bytes)).toThrow(expect.objectContaining({ code: 'unsupported_format' }));
});

it('a witness sector comes back, and one changed bit is damage', () => {
  const witnessed = {
    ...NOTHING_WITNESSED,
    sequence: 9,
    clean: false,
    epoch: 3,
    segmentId: 'ffeeddccbbaa9988',
    segmentBytes: 2 ** 31,
    position: 2 ** 45,
    trimmedThrough: 5,
    stateFirst: 1,
    stateBytes: 2,
    stateSequence: 2 ** 33,
  };
  const bytes = encodeWitnessSector(witnessed);
  expect(decodeWitnessSector(bytes)).toEqual(witnessed);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Uint8Array.from(bytes);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeWitnessSector(damaged)).toBeUndefined();
  }
});

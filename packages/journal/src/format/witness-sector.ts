import { checksum } from './checksum.ts';
import { assertVersion } from './segment-header.ts';
import { NO_SEGMENT, type SegmentId } from './segment-id.ts';
import { readU64, writeU64 } from './u64.ts';
import { viewOf } from './view-of.ts';

/*
 * One of the two 512-byte sectors of the witness file, little endian:
 *   0 magic "EMWITNES" · 8 u16 version · 10 u16 flags (1 = closed cleanly) · 12 u32 epoch · 16 u64 sequence of this witness
 *   24 segment id · 32 u64 durable length of that segment · 40 u64 last durable position · 48 u64 positions trimmed through
 *   56 u64 first sequence of the newest state file · 64 u64 its durable length · 72 u64 last durable state sequence
 *   80 zeros · 508 u32 CRC of bytes 0 to 507
 */

export const WITNESS_SECTOR_BYTES = 512;
const VERSION = 1;
const MAGIC = Buffer.from('EMWITNES', 'latin1');
const CLEAN = 1;

/** What was durable when the sector was written. */
export interface Witnessed {
  readonly sequence: number;
  readonly clean: boolean;
  /** Counts the openings of the directory: lease tokens of a later one are higher. */
  readonly epoch: number;
  readonly segmentId: SegmentId;
  readonly segmentBytes: number;
  readonly position: number;
  readonly trimmedThrough: number;
  readonly stateFirst: number;
  readonly stateBytes: number;
  readonly stateSequence: number;
}

export const NOTHING_WITNESSED: Witnessed = Object.freeze({
  sequence: 0,
  clean: true,
  epoch: 0,
  segmentId: NO_SEGMENT,
  segmentBytes: 0,
  position: 0,
  trimmedThrough: 0,
  stateFirst: 0,
  stateBytes: 0,
  stateSequence: 0,
});

export function encodeWitnessSector(witnessed: Witnessed): Uint8Array {
  const bytes = new Uint8Array(WITNESS_SECTOR_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint16(8, VERSION, true);
  view.setUint16(10, witnessed.clean ? CLEAN : 0, true);
  view.setUint32(12, witnessed.epoch, true);
  writeU64(view, 16, witnessed.sequence);
  bytes.set(Buffer.from(witnessed.segmentId, 'hex'), 24);
  writeU64(view, 32, witnessed.segmentBytes);
  writeU64(view, 40, witnessed.position);
  writeU64(view, 48, witnessed.trimmedThrough);
  writeU64(view, 56, witnessed.stateFirst);
  writeU64(view, 64, witnessed.stateBytes);
  writeU64(view, 72, witnessed.stateSequence);
  view.setUint32(508, checksum(bytes, 0, 508), true);
  return bytes;
}

/** `undefined` when the sector is damaged. Throws `unsupported_format` for a newer version. */
export function decodeWitnessSector(bytes: Uint8Array): Witnessed | undefined {
  if (bytes.length < WITNESS_SECTOR_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(508, true) !== checksum(bytes, 0, 508)) return undefined;
  if (Buffer.compare(bytes.subarray(0, 8), MAGIC) !== 0) return undefined;
  assertVersion(view.getUint16(8, true), VERSION, 'witness');
  return {
    sequence: readU64(view, 16),
    clean: (view.getUint16(10, true) & CLEAN) !== 0,
    epoch: view.getUint32(12, true),
    segmentId: Buffer.from(bytes.subarray(24, 32)).toString('hex'),
    segmentBytes: readU64(view, 32),
    position: readU64(view, 40),
    trimmedThrough: readU64(view, 48),
    stateFirst: readU64(view, 56),
    stateBytes: readU64(view, 64),
    stateSequence: readU64(view, 72),
  };
}

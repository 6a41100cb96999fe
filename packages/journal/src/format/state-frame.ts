import { aligned } from './align.ts';
import { checksum } from './checksum.ts';
import { assertVersion } from './segment-header.ts';
import { type SegmentId, segmentSeed } from './segment-id.ts';
import { readU64, writeU64 } from './u64.ts';
import { viewOf } from './view-of.ts';

/*
 * State logs and snapshots begin with 64 bytes, little endian:
 *   0 magic "EMSTATES" · 8 u16 version · 10 u16 what (1 log, 2 snapshot) · 12 u32 epoch · 16 file id (64 random bits)
 *   24 u64 sequence: of the first commit of a log, of the last commit that a snapshot covers · 32 zeros · 60 u32 CRC of 0–59
 * and go on with frames: a header of 32 bytes, JSON, zeros to the next multiple of 8:
 *   0 u32 CRC of header bytes 8 to 31, seeded as in a segment · 4 u32 CRC of JSON and padding, seeded with the CRC at 0
 *   8 u64 sequence · 16 u32 bytes of JSON · 20 u32 what (1 commit, 2 entries, 3 end) · 24 u64 durable mark
 */

export const STATE_HEADER_BYTES = 64;
export const FRAME_HEADER_BYTES = 32;
const VERSION = 1;
const MAGIC = Buffer.from('EMSTATES', 'latin1');

export const STATE_LOG = 1;
export const STATE_SNAPSHOT = 2;
export const COMMIT_FRAME = 1;
export const ENTRIES_FRAME = 2;
export const END_FRAME = 3;

export interface StateHeader {
  readonly what: number;
  readonly epoch: number;
  readonly id: SegmentId;
  readonly sequence: number;
}

export interface StateFrame {
  readonly sequence: number;
  readonly what: number;
  readonly durableMark: number;
  readonly json: string;
  /** The whole frame with header and padding. */
  readonly bytes: number;
}

export function encodeStateHeader(header: StateHeader): Buffer {
  const bytes = Buffer.alloc(STATE_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint16(8, VERSION, true);
  view.setUint16(10, header.what, true);
  view.setUint32(12, header.epoch, true);
  bytes.set(Buffer.from(header.id, 'hex'), 16);
  writeU64(view, 24, header.sequence);
  view.setUint32(60, checksum(bytes, 0, 60), true);
  return bytes;
}

export function decodeStateHeader(bytes: Uint8Array): StateHeader | undefined {
  if (bytes.length < STATE_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(60, true) !== checksum(bytes, 0, 60)) return undefined;
  if (Buffer.compare(bytes.subarray(0, 8), MAGIC) !== 0) return undefined;
  assertVersion(view.getUint16(8, true), VERSION, 'state');
  return {
    what: view.getUint16(10, true),
    epoch: view.getUint32(12, true),
    id: Buffer.from(bytes.subarray(16, 24)).toString('hex'),
    sequence: readU64(view, 24),
  };
}

export function encodeFrame(id: SegmentId, sequence: number, what: number, durableMark: number, json: string): Buffer {
  const jsonBytes = Buffer.byteLength(json);
  const bytes = Buffer.alloc(aligned(FRAME_HEADER_BYTES + jsonBytes));
  const view = viewOf(bytes);
  writeU64(view, 8, sequence);
  view.setUint32(16, jsonBytes, true);
  view.setUint32(20, what, true);
  writeU64(view, 24, durableMark);
  bytes.write(json, FRAME_HEADER_BYTES, 'utf8');
  const headerChecksum = checksum(bytes, 8, FRAME_HEADER_BYTES, segmentSeed(id));
  view.setUint32(0, headerChecksum, true);
  view.setUint32(4, checksum(bytes, FRAME_HEADER_BYTES, bytes.length, headerChecksum), true);
  return bytes;
}

/** How long the frame at `at` is with header and padding, or `undefined` when its header does not verify. */
export function frameBytesAt(bytes: Buffer, at: number, seed: number): number | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(at, true) !== checksum(bytes, at + 8, at + FRAME_HEADER_BYTES, seed)) return undefined;
  return aligned(FRAME_HEADER_BYTES + view.getUint32(at + 16, true));
}

/** The frame at `at`, or `undefined` when it is damaged, cut off or of another file. */
export function decodeFrame(bytes: Buffer, at: number, seed: number): StateFrame | undefined {
  const length = frameBytesAt(bytes, at, seed);
  if (length === undefined || at + length > bytes.length) return undefined;
  const view = viewOf(bytes);
  const from = at + FRAME_HEADER_BYTES;
  const contentChecksum = checksum(bytes, from, at + length, view.getUint32(at, true));
  if (contentChecksum !== view.getUint32(at + 4, true)) return undefined;
  return {
    sequence: readU64(view, at + 8),
    what: view.getUint32(at + 20, true),
    durableMark: readU64(view, at + 24),
    json: bytes.toString('utf8', from, from + view.getUint32(at + 16, true)),
    bytes: length,
  };
}

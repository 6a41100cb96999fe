import { EventManagerError } from '@event-manager/core';
import { checksum } from './checksum.ts';
import type { SegmentId } from './segment-id.ts';
import { readU64, writeU64 } from './u64.ts';
import { viewOf } from './view-of.ts';

/*
 * The first 64 bytes of a segment, little endian:
 *   0 magic "EMEVENTS" · 8 u16 version · 10 u16 size of this header · 12 u32 seed of id hashes · 16 segment id
 *   24 u64 first position · 32 u64 position before the first · 40 id of the segment this one replaces, or zeros
 *   48 u64 created at (ms) · 56 u32 zero · 60 u32 CRC of bytes 0 to 59
 * Magic, version and the place of the CRC never change, so that any version can tell damage from a newer format.
 */

export const SEGMENT_HEADER_BYTES = 64;
export const SEGMENT_VERSION = 1;
const MAGIC = Buffer.from('EMEVENTS', 'latin1');

export interface SegmentHeader {
  readonly id: SegmentId;
  readonly idSeed: number;
  readonly first: number;
  /** The last position before this segment: less than `first - 1` when damage was repaired between the two. */
  readonly follows: number;
  readonly replaces: SegmentId;
  readonly createdAtMs: number;
}

export function encodeSegmentHeader(header: SegmentHeader, into: Uint8Array): void {
  const view = viewOf(into);
  into.fill(0, 0, SEGMENT_HEADER_BYTES);
  into.set(MAGIC, 0);
  view.setUint16(8, SEGMENT_VERSION, true);
  view.setUint16(10, SEGMENT_HEADER_BYTES, true);
  view.setUint32(12, header.idSeed, true);
  into.set(Buffer.from(header.id, 'hex'), 16);
  writeU64(view, 24, header.first);
  writeU64(view, 32, header.follows);
  into.set(Buffer.from(header.replaces, 'hex'), 40);
  writeU64(view, 48, header.createdAtMs);
  view.setUint32(60, checksum(into, 0, 60), true);
}

/** The header, or `undefined` when the bytes are damaged or too few. Throws `unsupported_format` for a newer version. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(60, true) !== checksum(bytes, 0, 60)) return undefined;
  if (Buffer.compare(bytes.subarray(0, 8), MAGIC) !== 0) return undefined;
  assertVersion(view.getUint16(8, true), SEGMENT_VERSION, 'segment');
  return {
    id: Buffer.from(bytes.subarray(16, 24)).toString('hex'),
    idSeed: view.getUint32(12, true),
    first: readU64(view, 24),
    follows: readU64(view, 32),
    replaces: Buffer.from(bytes.subarray(40, 48)).toString('hex'),
    createdAtMs: readU64(view, 48),
  };
}

export function assertVersion(found: number, known: number, file: string): void {
  if (found === known) return;
  throw new EventManagerError('unsupported_format', `A ${file} file has format version ${found}; this is ${known}.`, {
    file,
    found,
    known,
  });
}

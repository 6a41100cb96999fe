import { decodeStoredEvent, type Lane } from '@event-manager/core';
import { aligned } from './align.ts';
import { checksum } from './checksum.ts';
import { eventIdText } from './event-id-words.ts';
import { readU64, writeU64 } from './u64.ts';

/*
 * One event in a segment: a header of 64 bytes, the content, zeros to the next multiple of 8. Little endian:
 *   0 u32 CRC of header bytes 8 to 63, seeded with the segment's seed
 *   4 u32 CRC of the content with its padding, seeded with the CRC at 0 (so with segment and position)
 *   8 u64 position · 16 u64 recorded at (ms) · 24 id, 16 bytes · 40 u8 lane · 41 u8 flags · 42 u16 bytes of the topic
 *   44 u32 bytes of the body · 48 u16 type · 50 u16 source · 52 u16 correlation id · 54 u16 user id · 56 u16 project id
 *   58 u16 zero · 60 u32 durable mark: how much of this file was synced before the batch of this record was written
 * Content: topic, type, source, correlation id, user id, project id, body, without separators. A length of 0 means absent.
 *
 * The header's own CRC guards the lengths: a damaged length is never followed. The durable mark tells a hole in the last
 * batch, which a crash may leave, from damage to something that was acknowledged.
 */

export const RECORD_HEADER_BYTES = 64;

export interface RecordHeader {
  readonly headerChecksum: number;
  readonly contentChecksum: number;
  readonly position: number;
  readonly recordedAtMs: number;
  readonly lane: Lane;
  readonly flags: number;
  readonly topicBytes: number;
  readonly bodyBytes: number;
  readonly typeBytes: number;
  readonly sourceBytes: number;
  readonly correlationBytes: number;
  readonly userBytes: number;
  readonly projectBytes: number;
  readonly durableMark: number;
  /** The whole record with header and padding. */
  readonly bytes: number;
}

/** Writes both checksums of a record whose other fields and content are in place. */
export function sealRecord(bytes: Uint8Array, view: DataView, at: number, end: number, seed: number): void {
  const headerChecksum = checksum(bytes, at + 8, at + RECORD_HEADER_BYTES, seed);
  view.setUint32(at, headerChecksum, true);
  view.setUint32(at + 4, checksum(bytes, at + RECORD_HEADER_BYTES, end, headerChecksum), true);
}

/** Gives a verified record to another segment: new durable mark, new checksums, everything else as it was. */
export function reseal(bytes: Uint8Array, view: DataView, at: number, end: number, seed: number, mark: number): void {
  view.setUint32(at + 60, mark, true);
  sealRecord(bytes, view, at, end, seed);
}

/** The header at `at` if its checksum holds; `undefined` when it is damaged, cut off or of another segment. */
export function decodeRecordHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  seed: number,
): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  const headerChecksum = view.getUint32(at, true);
  if (headerChecksum !== checksum(bytes, at + 8, at + RECORD_HEADER_BYTES, seed)) return undefined;
  return decodeUncheckedHeader(view, at);
}

/** The header at `at` as it stands, for a caller that has checked it or means not to. */
export function decodeUncheckedHeader(view: DataView, at: number): RecordHeader {
  const topicBytes = view.getUint16(at + 42, true);
  const bodyBytes = view.getUint32(at + 44, true);
  const typeBytes = view.getUint16(at + 48, true);
  const sourceBytes = view.getUint16(at + 50, true);
  const correlationBytes = view.getUint16(at + 52, true);
  const userBytes = view.getUint16(at + 54, true);
  const projectBytes = view.getUint16(at + 56, true);
  const names = topicBytes + typeBytes + sourceBytes + correlationBytes + userBytes + projectBytes;
  return {
    headerChecksum: view.getUint32(at, true),
    contentChecksum: view.getUint32(at + 4, true),
    position: readU64(view, at + 8),
    recordedAtMs: readU64(view, at + 16),
    lane: (view.getUint8(at + 40) & 3) as Lane,
    flags: view.getUint8(at + 41),
    topicBytes,
    bodyBytes,
    typeBytes,
    sourceBytes,
    correlationBytes,
    userBytes,
    projectBytes,
    durableMark: view.getUint32(at + 60, true),
    bytes: aligned(RECORD_HEADER_BYTES + names + bodyBytes),
  };
}

/** True when the content behind a verified header is complete and undamaged. */
export function contentHolds(bytes: Uint8Array, at: number, header: RecordHeader): boolean {
  const end = at + header.bytes;
  if (end > bytes.length) return false;
  return checksum(bytes, at + RECORD_HEADER_BYTES, end, header.headerChecksum) === header.contentChecksum;
}

/** What the indexes are made of. */
export interface RecordNames {
  readonly topic: string;
  readonly type: string;
  readonly source: string;
  readonly correlationId: string;
  readonly userId: string;
  readonly projectId: string;
  /** Of the body: it has no place of its own in the record. */
  readonly causationId: string;
}

export function decodeNames(bytes: Buffer, at: number, header: RecordHeader): RecordNames {
  let from = at + RECORD_HEADER_BYTES;
  const next = (length: number): string => (length === 0 ? '' : bytes.toString('utf8', from, (from += length)));
  return {
    topic: next(header.topicBytes),
    type: next(header.typeBytes),
    source: next(header.sourceBytes),
    correlationId: next(header.correlationBytes),
    userId: next(header.userBytes),
    projectId: next(header.projectBytes),
    causationId: causationOf(bodyOf(bytes, at, header)),
  };
}

const CAUSATION_FIELD = Buffer.from('"causationId"', 'latin1');

/** Most events have none, and of those the body need not be parsed. */
function causationOf(body: Buffer): string {
  return body.includes(CAUSATION_FIELD) ? (decodeStoredEvent(body).causationId ?? '') : '';
}

export function decodeTopic(bytes: Buffer, at: number, header: RecordHeader): string {
  const from = at + RECORD_HEADER_BYTES;
  return bytes.toString('utf8', from, from + header.topicBytes);
}

export function decodeId(bytes: Uint8Array, at: number): string {
  return eventIdText(bytes, at + 24);
}

/** The body in place, sharing memory with `bytes`. The body is the last part of the content. */
export function bodyOf(bytes: Buffer, at: number, header: RecordHeader): Buffer {
  const from =
    at +
    RECORD_HEADER_BYTES +
    header.topicBytes +
    header.typeBytes +
    header.sourceBytes +
    header.correlationBytes +
    header.userBytes +
    header.projectBytes;
  return bytes.subarray(from, from + header.bodyBytes);
}

/** Writes the fields that do not depend on the content. */
export function writeRecordFields(
  view: DataView,
  at: number,
  fields: { position: number; recordedAtMs: number; ids: Uint32Array; idAt: number; durableMark: number },
  lane: number,
  flags: number,
): void {
  writeU64(view, at + 8, fields.position);
  writeU64(view, at + 16, fields.recordedAtMs);
  for (let word = 0; word < 4; word++) view.setUint32(at + 24 + word * 4, fields.ids[fields.idAt + word]!, false);
  view.setUint8(at + 40, lane);
  view.setUint8(at + 41, flags);
  view.setUint16(at + 58, 0, true);
  view.setUint32(at + 60, fields.durableMark, true);
}

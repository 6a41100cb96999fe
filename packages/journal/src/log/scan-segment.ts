import { ALIGNMENT, aligned } from '../format/align.ts';
import { contentHolds, decodeRecordHeader, type RecordHeader } from '../format/record.ts';
import { SEGMENT_HEADER_BYTES } from '../format/segment-header.ts';
import { viewOf } from '../format/view-of.ts';

/** A verified record, or a stretch of bytes in which none can be found. */
export type ScanStep =
  | { readonly record: RecordHeader; readonly at: number }
  | { readonly gap: { readonly from: number; readonly to: number } };

/**
 * Walks the records of a segment, given as all bytes of its file. Where a record does not verify, the search goes on at
 * every aligned offset behind it, so that damage costs only the records it touched. Positions must ascend.
 */
export function* scanSegment(bytes: Buffer, seed: number, first: number): Generator<ScanStep> {
  const view = viewOf(bytes);
  let at = SEGMENT_HEADER_BYTES;
  let last = first - 1;
  while (at < bytes.length) {
    const record = verifiedRecord(bytes, view, at, seed, last);
    if (record !== undefined) {
      yield { record, at };
      last = record.position;
      at += record.bytes;
      continue;
    }
    const to = nextRecord(bytes, view, at, seed, last);
    yield { gap: { from: at, to } };
    at = to;
  }
}

function verifiedRecord(
  bytes: Buffer,
  view: DataView,
  at: number,
  seed: number,
  last: number,
): RecordHeader | undefined {
  const header = decodeRecordHeader(bytes, view, at, seed);
  if (header === undefined || header.position <= last) return undefined;
  return contentHolds(bytes, at, header) ? header : undefined;
}

/** Offset of the next verified record behind a damaged one at `at`, or the end of the file. */
function nextRecord(bytes: Buffer, view: DataView, at: number, seed: number, last: number): number {
  const damaged = decodeRecordHeader(bytes, view, at, seed);
  let from = aligned(at + 1);
  // With an undamaged header the length can be trusted, and whatever the content holds is not looked at.
  if (damaged !== undefined && at + damaged.bytes <= bytes.length) from = at + damaged.bytes;
  for (let offset = from; offset + ALIGNMENT <= bytes.length; offset += ALIGNMENT) {
    // The last header bytes of a record before its durable mark are zero: this spares most of the checksums.
    if (offset + 60 > bytes.length || view.getUint16(offset + 58, true) !== 0) continue;
    if (verifiedRecord(bytes, view, offset, seed, last) !== undefined) return offset;
  }
  return bytes.length;
}

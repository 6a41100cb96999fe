import type { Damage } from '../damage.ts';
import { parseSegmentFile } from '../files/file-names.ts';
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../format/segment-header.ts';
import { NO_SEGMENT, segmentSeed } from '../format/segment-id.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import { ActiveIndex } from '../index/active-index.ts';
import { indexRecord } from './index-record.ts';
import { scanSegment } from './scan-segment.ts';

/*
 * What is left of a segment, judged after everything in it was read.
 *
 * A gap (bytes in which no record verifies) is damage when it lies in what was durable: below the witnessed length of this
 * segment, or below the durable mark of any later record that verifies. Otherwise it is what a crash left of a batch that
 * nobody was told about: the torn tail, and with it everything behind it is cut, even records that happen to be complete.
 */

export interface SegmentContents {
  readonly header: SegmentHeader;
  readonly index: ActiveIndex;
  /** Position of the last record that verifies before the cut; `header.first - 1` when there is none. */
  readonly last: number;
  /** Where the records to keep end. */
  readonly end: number;
  readonly damages: readonly Damage[];
  /** Something stands behind `end`. */
  readonly isTorn: boolean;
}

/** What is known from outside about a segment: how far it must be readable. */
export interface Expected {
  /** Bytes of it that were durable at least. */
  readonly durableBytes: number;
  /** Positions up to here were durable. */
  readonly durablePosition: number;
  readonly idSeed: number;
}

/** What the witness expects of the newest segment. */
export function expectedOfLast(witnessed: Witnessed, segmentId: string, idSeed: number): Expected {
  const named = witnessed.segmentId === segmentId;
  return { durableBytes: named ? witnessed.segmentBytes : 0, durablePosition: witnessed.position, idSeed };
}

interface Gap {
  readonly from: number;
  readonly to: number;
  readonly lostFrom: number;
  lostThrough: number;
}

/** Reads a whole segment. Yields now and then, so that the caller may pause. */
export function* readContents(file: string, bytes: Buffer, expected: Expected): Generator<void, SegmentContents> {
  const named = parseSegmentFile(file)!;
  const header = decodeSegmentHeader(bytes) ?? headerFromName(named, expected.idSeed);
  const index = new ActiveIndex(header.idSeed);
  const gaps: Gap[] = [];
  if (decodeSegmentHeader(bytes) === undefined) {
    gaps.push({ from: 0, to: SEGMENT_HEADER_BYTES, lostFrom: header.first, lostThrough: header.first - 1 });
  }
  const ends: { readonly end: number; readonly position: number }[] = [];
  let markedBytes = 0;
  let last = header.first - 1;
  for (const step of scanSegment(bytes, segmentSeed(header.id), header.first)) {
    if ('gap' in step) {
      gaps.push({ ...step.gap, lostFrom: last + 1, lostThrough: last });
    } else {
      const gap = gaps.at(-1);
      if (gap !== undefined && gap.to === step.at) gap.lostThrough = step.record.position - 1;
      markedBytes = Math.max(markedBytes, step.record.durableMark);
      last = step.record.position;
      ends.push({ end: step.at + step.record.bytes, position: last });
      indexRecord(index, bytes, step.at, step.record, step.at);
    }
    yield;
  }
  return judge({ file, header, index, gaps, ends, markedBytes, expected, size: bytes.length });
}

interface Findings {
  readonly file: string;
  readonly header: SegmentHeader;
  readonly index: ActiveIndex;
  readonly gaps: readonly Gap[];
  readonly ends: readonly { readonly end: number; readonly position: number }[];
  /** The highest durable mark of any record. */
  readonly markedBytes: number;
  readonly expected: Expected;
  readonly size: number;
}

function judge({ file, header, index, gaps, ends, markedBytes, expected, size }: Findings): SegmentContents {
  const durableBytes = Math.max(markedBytes, expected.durableBytes);
  const cut = gaps.find(({ from }) => from >= durableBytes)?.from ?? size;
  let kept = ends.length;
  while (kept > 0 && ends[kept - 1]!.end > cut) kept--;
  index.cutTo(kept);
  const last = kept === 0 ? header.first - 1 : ends[kept - 1]!.position;
  const end = kept === 0 ? Math.min(cut, SEGMENT_HEADER_BYTES) : ends[kept - 1]!.end;
  const open = gaps.at(-1);
  if (open !== undefined && open.to === size) open.lostThrough = Math.max(open.lostThrough, expected.durablePosition);
  const damages: Damage[] = gaps
    .filter(({ from }) => from < durableBytes)
    .map(({ from, lostFrom, lostThrough }) => ({
      file,
      offset: from,
      reason: 'bytes do not match their checksum',
      ...lost(lostFrom, lostThrough),
    }));
  const isShort = last < expected.durablePosition || size < markedBytes;
  if (isShort && !damages.some((damage) => damage.offset >= end)) {
    const range = lost(last + 1, expected.durablePosition);
    damages.push({ file, offset: Math.min(end, size), reason: 'records that were durable are missing', ...range });
  }
  return { header, index, last, end, damages, isTorn: size > end };
}

function lost(from: number, through: number): { readonly lost?: { readonly from: number; readonly through: number } } {
  return through < from ? {} : { lost: { from, through } };
}

function headerFromName(named: { first: number; id: string }, idSeed: number): SegmentHeader {
  return { id: named.id, idSeed, first: named.first, follows: named.first - 1, replaces: NO_SEGMENT, createdAtMs: 0 };
}

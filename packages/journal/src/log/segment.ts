import type { SegmentHeader } from '../format/segment-header.ts';
import { segmentSeed } from '../format/segment-id.ts';
import type { SegmentIndex } from '../index/segment-index.ts';

/** Longest time from the first to the last record of a segment: the index keeps times as 32-bit milliseconds. */
export const SEGMENT_SPAN_MS_MAX = 30 * 24 * 3600 * 1000;

/** One file of the log, as readers see it. */
export class Segment {
  readonly file: string;
  readonly header: SegmentHeader;
  /** What the checksums of its records start from. */
  readonly seed: number;
  index: SegmentIndex;
  /** The last durable position in it; `header.first - 1` while it is empty. */
  last: number;
  /** Its durable length. */
  bytes: number;

  constructor(file: string, header: SegmentHeader, index: SegmentIndex, last: number, bytes: number) {
    this.file = file;
    this.header = header;
    this.seed = segmentSeed(header.id);
    this.index = index;
    this.last = last;
    this.bytes = bytes;
  }

  get first(): number {
    return this.header.first;
  }
}

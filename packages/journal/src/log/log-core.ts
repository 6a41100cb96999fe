import type { DamageRegister } from '../damage.ts';
import type { FailStop } from '../fail-stop.ts';
import type { Folder } from '../files/folder.ts';
import type { OpenFiles } from '../files/open-files.ts';
import type { Segment } from './segment.ts';

/**
 * What the parts of the log share: appending adds segments at the end, trimming removes them at the beginning, reading
 * only looks.
 */
export interface LogCore {
  readonly folder: Folder;
  readonly files: OpenFiles;
  readonly failStop: FailStop;
  readonly damage: DamageRegister;
  /** Ascending by position; the active one, if any, is the last. */
  readonly segments: Segment[];
  /** The last durable position. */
  head: number;
  /** Everything at or below was removed by retention. */
  trimmedThrough: number;
}

/** Index of the first segment that holds a position above `after`; the number of segments when there is none. */
export function segmentAfter(segments: readonly Segment[], after: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (segments[middle]!.last <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

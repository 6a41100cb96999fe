import { SEGMENT_HEADER_BYTES } from '../format/segment-header.ts';
import { type LogCore, segmentAfter } from './log-core.ts';

/**
 * What the records that can still be read take in their files, and how many they are. The first segment may hold some that were
 * trimmed: its file goes when all of it is, and until then they are not counted.
 */
export async function measureLog(core: LogCore): Promise<{ bytes: number; events: number }> {
  // A batch that is being written, or a trim, must not be seen half.
  const { trimmedThrough } = core;
  const segments = core.segments.slice(segmentAfter(core.segments, trimmedThrough));
  let bytes = 0;
  let events = 0;
  for (const { index, bytes: size, last, first } of segments) {
    if (last < first) continue;
    const end = await index.ordinalAt(last + 1);
    const begin = await index.ordinalAt(trimmedThrough + 1);
    if (begin >= end) continue;
    events += end - begin;
    bytes += size - (begin === 0 ? SEGMENT_HEADER_BYTES : await index.offsetOf(begin));
  }
  return { bytes, events };
}

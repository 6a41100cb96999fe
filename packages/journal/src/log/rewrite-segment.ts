import { copyAside } from '../damage.ts';
import { indexFileOf, segmentFile, TORN_DIR } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { decodeUncheckedHeader, reseal } from '../format/record.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../format/segment-header.ts';
import { newSegmentId, segmentSeed } from '../format/segment-id.ts';
import { viewOf } from '../format/view-of.ts';
import type { SegmentContents } from './recover-tail.ts';
import { Segment } from './segment.ts';

const CHUNK_BYTES = 1 << 20;

/**
 * Puts what an unclean stop left of the newest segment into a new file, and removes the old one. Records that only the page
 * cache holds look like durable ones; answering `duplicate` for them, or appending behind them, would promise what the disk
 * does not have. After this every record of the segment was written and synced by us.
 *
 * A crash between the two steps leaves both files: the new one names the one it replaces, and the next opening removes that.
 */
export async function rewriteSegment(
  folder: Folder,
  file: string,
  bytes: Buffer,
  contents: SegmentContents,
): Promise<Segment | undefined> {
  if (contents.isTorn && bytes.subarray(contents.end).some((byte) => byte !== 0)) {
    folder.failpoint('journal.recover.copy-aside.before');
    await copyAside(folder, file, TORN_DIR, `${file}.${contents.end}`, contents.end);
    folder.failpoint('journal.recover.copy-aside.after');
  }
  const rewritten = contents.index.count === 0 ? undefined : await writeAnew(folder, bytes, contents);
  await removeSegment(folder, file);
  return rewritten;
}

/** Writes the records of a segment to a new file that replaces it. Holes stay holes in the positions. */
export async function writeAnew(folder: Folder, bytes: Buffer, contents: SegmentContents): Promise<Segment> {
  const { index, end, last } = contents;
  const header: SegmentHeader = {
    ...contents.header,
    id: newSegmentId(folder.runtime.chance),
    replaces: contents.header.id,
  };
  const name = segmentFile(header.first, header.id);
  folder.failpoint('journal.recover.rewrite.before');
  await folder.replaceFile(name, resealed(bytes.subarray(0, end), header, index));
  folder.failpoint('journal.recover.rewrite.after');
  return new Segment(name, header, index, last, end);
}

/** The new file: header and records without gaps. Undamaged segments keep every offset, and so their index. */
function* resealed(bytes: Buffer, header: SegmentHeader, index: SegmentContents['index']): Generator<Uint8Array> {
  const view = viewOf(bytes);
  const seed = segmentSeed(header.id);
  const lengths = Uint32Array.from(
    { length: index.count },
    (_, at) => decodeUncheckedHeader(view, index.offsetOf(at)).bytes,
  );
  const total = lengths.reduce((sum, length) => sum + length, SEGMENT_HEADER_BYTES);
  const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
  encodeSegmentHeader(header, head);
  let gathered: Buffer[] = [head];
  let gatheredBytes = head.length;
  for (let ordinal = 0; ordinal < index.count; ordinal++) {
    const at = index.offsetOf(ordinal);
    const end = at + lengths[ordinal]!;
    // The file gets its name only after all of it was synced, so each of its records vouches for all others.
    reseal(bytes, view, at, end, seed, total);
    gathered.push(bytes.subarray(at, end));
    gatheredBytes += end - at;
    if (gatheredBytes < CHUNK_BYTES) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    gatheredBytes = 0;
  }
  if (gathered.length > 0) yield Buffer.concat(gathered);
}

/** Removes a segment whose records are elsewhere, with its index. */
export async function removeSegment(folder: Folder, file: string): Promise<void> {
  folder.failpoint('journal.recover.remove.before');
  await folder.removeIfThere(indexFileOf(file));
  await folder.removeIfThere(file);
  await folder.syncDir();
  folder.failpoint('journal.recover.remove.after');
}

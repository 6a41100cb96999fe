import type { Damage } from '../damage.ts';
import type { Folder } from '../files/folder.ts';
import type { SegmentId } from '../format/segment-id.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import { listSegments, type SegmentFile } from './list-segments.ts';
import { readSegmentContents } from './read-segment-contents.ts';
import { removeSegment } from './rewrite-segment.ts';

/*
 * Which files are the log, when a crash left more of them.
 *
 * A segment is written anew in the steps write, rename, remove the old one, and nothing is appended before the old one is
 * gone. So two files that begin at the same position are an original and its rewriting, or a chain of them, and the original
 * holds everything that the rewriting does. The newest rewriting that verifies completely counts. One that does not, although
 * it was synced before it got its name, is damage, and the file that it was made from counts instead.
 *
 * Nothing is changed here. Leftovers may go once all else is known to be undamaged; files that damage has spoilt go in a
 * repair only, after they were copied.
 */

export interface CurrentSegments {
  /** The log, in the order of positions. */
  readonly files: readonly SegmentFile[];
  /** Files whose records are all elsewhere, or were given up by retention. */
  readonly leftovers: readonly SegmentFile[];
  /** Files that cannot be part of the log, each with a damage. */
  readonly spoilt: readonly SegmentFile[];
  readonly damages: readonly Damage[];
}

/** Tells the segments that count from what interrupted recoveries, repairs and trims left. */
export async function currentSegments(folder: Folder, { trimmedThrough }: Witnessed): Promise<CurrentSegments> {
  const files: SegmentFile[] = [];
  const leftovers: SegmentFile[] = [];
  const spoilt: SegmentFile[] = [];
  const damages: Damage[] = [];
  const listed = await plantedRemoval(folder, await listSegments(folder));
  for (const rivals of Map.groupBy(listed, ({ header }) => header.first).values()) {
    const chosen = rivals.length === 1 ? rivals[0]! : await choose(folder, rivals, damages);
    const original = originalsOf(chosen, rivals);
    files.push(chosen);
    for (const rival of rivals) {
      if (rival === chosen) continue;
      if (original.has(rival)) leftovers.push(rival);
      else spoilt.push(rival);
    }
  }
  for (const { file } of spoilt) {
    if (damages.some((damage) => damage.file === file)) continue;
    damages.push({ file, offset: 0, reason: 'another segment begins at the same position' });
  }
  const isTrimmed = (index: number): boolean => {
    const next = files[index + 1];
    return next?.isHeaderSound === true && next.header.follows <= trimmedThrough;
  };
  return {
    files: files.filter((_, index) => !isTrimmed(index)),
    leftovers: [...leftovers, ...files.filter((_, index) => isTrimmed(index))],
    spoilt,
    damages,
  };
}

/** The file to serve of several that begin at the same position. */
async function choose(folder: Folder, rivals: readonly SegmentFile[], damages: Damage[]): Promise<SegmentFile> {
  const rewritings = rivals.filter((rival) => originalsOf(rival, rivals).size > 0);
  // The longest chain behind it: the last one written.
  rewritings.sort((a, b) => originalsOf(b, rivals).size - originalsOf(a, rivals).size);
  for (const rewriting of rewritings) {
    const found = await damagesOfRewriting(folder, rewriting);
    if (found.length === 0) return rewriting;
    damages.push(...found);
  }
  const originals = rivals.filter((rival) => !rewritings.includes(rival));
  return originals.find(({ isHeaderSound }) => isHeaderSound) ?? originals[0] ?? rivals[0]!;
}

/** What a rewriting was made from, and that in turn, as far as the files are there. */
function originalsOf(rewriting: SegmentFile, rivals: readonly SegmentFile[]): ReadonlySet<SegmentFile> {
  const found = new Set<SegmentFile>();
  for (let next: SegmentFile | undefined = rewriting; next !== undefined; ) {
    const replaces: SegmentId = next.header.replaces;
    next = rivals.find((rival) => rival.header.id === replaces && rival !== rewriting && !found.has(rival));
    if (next !== undefined) found.add(next);
  }
  return found;
}

/** Nothing is lost by these: the original is still there. */
async function damagesOfRewriting(folder: Folder, { file, header }: SegmentFile): Promise<readonly Damage[]> {
  const { contents } = await readSegmentContents(folder, file, {
    durableBytes: Number.POSITIVE_INFINITY,
    // A rewriting holds one record at least.
    durablePosition: header.first,
    idSeed: header.idSeed,
  });
  return contents.damages.map(({ offset, reason }) => ({ file, offset, reason }));
}

async function plantedRemoval(folder: Folder, files: readonly SegmentFile[]): Promise<readonly SegmentFile[]> {
  if (!folder.runtime.planted.has('delete-unreadable-segment')) return files;
  for (const { file, isHeaderSound } of files) if (!isHeaderSound) await removeSegment(folder, file);
  return files.filter(({ isHeaderSound }) => isHeaderSound);
}

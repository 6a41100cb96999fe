import type { Damage } from '../damage.ts';
import { isIndexFile, segmentOfIndex } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import type { SegmentHeader } from '../format/segment-header.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import type { ActiveIndex } from '../index/active-index.ts';
import { currentSegments } from './current-segments.ts';
import type { SegmentFile } from './list-segments.ts';
import { readSegmentContents } from './read-segment-contents.ts';
import { expectedOfLast } from './recover-tail.ts';
import { removeSegment, rewriteSegment } from './rewrite-segment.ts';
import { Segment } from './segment.ts';

export interface RecoveredLog {
  readonly segments: Segment[];
  /** The newest segment's index when it may be written to. */
  readonly activeIndex: ActiveIndex | undefined;
  readonly head: number;
  readonly lastRecordedAtMs: number;
  readonly idSeed: number;
}

/** Loads a sealed segment from its index file, or `undefined` when that has to be made anew. */
export type LoadSealed = (
  file: string,
  header: SegmentHeader,
  last: number,
  idSeed: number,
) => Promise<Segment | undefined>;

/**
 * Brings the log into a state that can be served, and written to if nothing durable is damaged. Reports damage through
 * `report`; changes no file while there is any.
 */
export async function recoverLog(
  folder: Folder,
  witnessed: Witnessed,
  loadSealed: LoadSealed,
  report: (damage: Damage) => void,
  isReadOnly: () => boolean,
): Promise<RecoveredLog> {
  const { files, leftovers, damages } = await currentSegments(folder, witnessed);
  for (const damage of damages) report(damage);
  const idSeed = files.find(({ isHeaderSound }) => isHeaderSound)?.header.idSeed ?? randomSeed(folder);
  const segments: Segment[] = [];
  for (let index = 0; index < files.length - 1; index++) {
    const last = files[index + 1]!.header.follows;
    segments.push(await sealedSegment(folder, files[index]!, last, idSeed, loadSealed, report));
  }
  reportMissing(files, segments, witnessed, report);
  const newest = files.at(-1);
  let activeIndex: ActiveIndex | undefined;
  if (newest !== undefined) {
    const { segment, index } = await newestSegment(newest, leftovers, {
      folder,
      witnessed,
      idSeed,
      report,
      isReadOnly,
    });
    if (segment !== undefined) segments.push(segment);
    activeIndex = index;
  }
  const last = segments.at(-1);
  const lastKept = last?.last ?? 0;
  if (lastKept < witnessed.position && newest === undefined && witnessed.trimmedThrough < witnessed.position) {
    report({
      file: `events of segment ${witnessed.segmentId}`,
      offset: 0,
      reason: 'the newest segment file is missing',
      lost: { from: lastKept + 1, through: witnessed.position },
    });
  }
  return {
    segments,
    activeIndex,
    head: Math.max(lastKept, witnessed.position, (newest?.header.first ?? 1) - 1),
    lastRecordedAtMs: Math.max(0, ...segments.map(({ index }) => index.lastAtMs)),
    idSeed,
  };
}

async function sealedSegment(
  folder: Folder,
  { file, header, isHeaderSound }: SegmentFile,
  last: number,
  idSeed: number,
  loadSealed: LoadSealed,
  report: (damage: Damage) => void,
): Promise<Segment> {
  const loaded = isHeaderSound ? await loadSealed(file, header, last, idSeed) : undefined;
  if (loaded !== undefined) return loaded;
  const { bytes, contents } = await readSegmentContents(folder, file, {
    durableBytes: Number.POSITIVE_INFINITY,
    durablePosition: last,
    idSeed,
  });
  for (const damage of contents.damages) report(damage);
  return new Segment(file, contents.header, contents.index, last, bytes.length);
}

interface Recovering {
  readonly folder: Folder;
  readonly witnessed: Witnessed;
  readonly idSeed: number;
  readonly report: (damage: Damage) => void;
  readonly isReadOnly: () => boolean;
}

async function newestSegment(
  { file, header }: SegmentFile,
  leftovers: readonly SegmentFile[],
  { folder, witnessed, idSeed, report, isReadOnly }: Recovering,
): Promise<{ segment: Segment | undefined; index: ActiveIndex | undefined }> {
  const { bytes, contents } = await readSegmentContents(folder, file, expectedOfLast(witnessed, header.id, idSeed));
  for (const damage of contents.damages) report(damage);
  const last = Math.max(contents.last, witnessed.position);
  const asItIs = new Segment(file, contents.header, contents.index, last, contents.end);
  if (isReadOnly()) return { segment: asItIs, index: undefined };
  // Before the newest one is rewritten under a third name, which would no longer name what this one replaces.
  for (const leftover of leftovers) await removeSegment(folder, leftover.file);
  await removeOrphans(folder);
  const isClean = witnessed.clean && witnessed.segmentId === header.id && witnessed.segmentBytes === bytes.length;
  if (isClean) return { segment: asItIs, index: contents.index };
  const rewritten = await rewriteSegment(folder, file, bytes, contents);
  return { segment: rewritten, index: rewritten === undefined ? undefined : contents.index };
}

/** Indexes that were written while retention removed their segments, when a crash came before they could go as well. */
async function removeOrphans(folder: Folder): Promise<void> {
  const names = new Set(await folder.list());
  for (const name of names) if (isIndexFile(name) && !names.has(segmentOfIndex(name))) await folder.removeIfThere(name);
}

/** A later segment knows which position came before it: files that are gone from between or from the beginning show. */
export function reportMissing(
  files: readonly SegmentFile[],
  segments: readonly { readonly last: number }[],
  { trimmedThrough }: Witnessed,
  report: (damage: Damage) => void,
): void {
  let before = trimmedThrough;
  for (let index = 0; index < files.length; index++) {
    const { file, header, isHeaderSound } = files[index]!;
    if (isHeaderSound && header.follows > before) {
      const lost = { from: before + 1, through: header.follows };
      report({ file, offset: 0, reason: 'the segment before this one is missing', lost });
    }
    before = segments[index]?.last ?? before;
  }
}

function randomSeed(folder: Folder): number {
  const seed = new Uint32Array(1);
  folder.runtime.chance.fill(new Uint8Array(seed.buffer));
  return seed[0]!;
}

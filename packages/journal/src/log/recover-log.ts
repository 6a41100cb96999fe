import type { Damage } from '../damage.ts';
import { parseSegmentFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { readBytes } from '../files/read-fully.ts';
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from '../format/segment-header.ts';
import { NO_SEGMENT } from '../format/segment-id.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import type { ActiveIndex } from '../index/active-index.ts';
import { runSliced } from '../index/run-sliced.ts';
import { type Expected, expectedOfLast, readContents, type SegmentContents } from './recover-tail.ts';
import { removeSegment, rewriteSegment } from './rewrite-segment.ts';
import { Segment } from './segment.ts';

/** A segment file as the directory shows it. */
export interface SegmentFile {
  readonly file: string;
  /** Read from the file, or from its name when the header is damaged. */
  readonly header: SegmentHeader;
  readonly isHeaderSound: boolean;
}

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

/** Lists the segments of a directory in the order of positions. Changes nothing. */
export async function listSegments(folder: Folder): Promise<SegmentFile[]> {
  const found: SegmentFile[] = [];
  for (const file of await folder.list()) {
    const named = parseSegmentFile(file);
    if (named === undefined) continue;
    const header = decodeSegmentHeader(await readHead(folder, file));
    found.push({
      file,
      isHeaderSound: header !== undefined,
      header: header ?? { ...named, idSeed: 0, follows: named.first - 1, replaces: NO_SEGMENT, createdAtMs: 0 },
    });
  }
  return found.sort((a, b) => a.header.first - b.header.first);
}

/** Reads every record of a segment file. */
export async function readSegmentContents(
  folder: Folder,
  file: string,
  expected: Expected,
): Promise<{ bytes: Buffer; contents: SegmentContents }> {
  const bytes = (await folder.readFile(file)) ?? Buffer.alloc(0);
  let contents: SegmentContents | undefined;
  const reading = readContents(file, bytes, expected);
  await runSliced(
    {
      next: () => {
        for (let record = 0; record < 256; record++) {
          const step = reading.next();
          if (step.done !== true) continue;
          contents = step.value;
          return { done: true, value: undefined };
        }
        return { done: false, value: undefined };
      },
    },
    folder.runtime,
  );
  return { bytes, contents: contents! };
}

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
  const files = await removeLeftovers(folder, await listSegments(folder), witnessed);
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
    const { segment, index } = await newestSegment(folder, newest, witnessed, idSeed, report, isReadOnly);
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

/** Finishes what a crash interrupted: segments that a newer file replaces, and segments that retention had given up. */
async function removeLeftovers(
  folder: Folder,
  files: readonly SegmentFile[],
  { trimmedThrough }: Witnessed,
): Promise<SegmentFile[]> {
  const replaced = new Set(files.map(({ header }) => header.replaces));
  const kept: SegmentFile[] = [];
  for (let index = 0; index < files.length; index++) {
    const { file, header, isHeaderSound } = files[index]!;
    const next = files[index + 1];
    const trimmed = next?.isHeaderSound === true && next.header.follows <= trimmedThrough;
    const planted = !isHeaderSound && folder.runtime.planted.has('delete-unreadable-segment');
    if (replaced.has(header.id) || (trimmed && next.header.first > header.first) || planted)
      await removeSegment(folder, file);
    else kept.push(files[index]!);
  }
  return kept;
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

async function newestSegment(
  folder: Folder,
  { file, header }: SegmentFile,
  witnessed: Witnessed,
  idSeed: number,
  report: (damage: Damage) => void,
  isReadOnly: () => boolean,
): Promise<{ segment: Segment | undefined; index: ActiveIndex | undefined }> {
  const { bytes, contents } = await readSegmentContents(folder, file, expectedOfLast(witnessed, header.id, idSeed));
  for (const damage of contents.damages) report(damage);
  const last = Math.max(contents.last, witnessed.position);
  const asItIs = new Segment(file, contents.header, contents.index, last, contents.end);
  if (isReadOnly()) return { segment: asItIs, index: undefined };
  const isClean = witnessed.clean && witnessed.segmentId === header.id && witnessed.segmentBytes === bytes.length;
  if (isClean) return { segment: asItIs, index: contents.index };
  const rewritten = await rewriteSegment(folder, file, bytes, contents);
  return { segment: rewritten, index: rewritten === undefined ? undefined : contents.index };
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

async function readHead(folder: Folder, file: string): Promise<Buffer> {
  const opened = await folder.open(file, 'read');
  try {
    return await readBytes(opened, 0, SEGMENT_HEADER_BYTES);
  } finally {
    await opened.close();
  }
}

function randomSeed(folder: Folder): number {
  const seed = new Uint32Array(1);
  folder.runtime.chance.fill(new Uint8Array(seed.buffer));
  return seed[0]!;
}

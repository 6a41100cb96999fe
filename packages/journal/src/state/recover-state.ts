import type { DiskFile } from '@event-manager/core';
import type { Damage } from '../damage.ts';
import { parseSnapshotFile, parseStateLogFile, snapshotFile, stateLogFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { readBytes } from '../files/read-fully.ts';
import { segmentSeed } from '../format/segment-id.ts';
import {
  COMMIT_FRAME,
  decodeStateHeader,
  END_FRAME,
  ENTRIES_FRAME,
  STATE_HEADER_BYTES,
  type StateFrame,
  type StateHeader,
} from '../format/state-frame.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import { decodeCommit, decodeEntries } from './encode-commit.ts';
import { recordsIn } from './records-in.ts';
import { scanFrames } from './scan-frames.ts';
import { type FramePlace, StateEntries } from './state-entries.ts';

/*
 * State = newest snapshot + every commit behind it. Judged like the log of events: what does not verify below the durable
 * end (witness, durable marks, or any log that is not the newest) is damage; behind it, it is a torn tail and was never
 * acknowledged. Commits that verify are applied even behind damage: each change is absolute, so keeping the later ones
 * loses the least.
 */

export interface RecoveredState {
  readonly entries: StateEntries;
  /** The last commit that was found. */
  readonly sequence: number;
  readonly epoch: number;
  /** The log that may be appended to: it ends exactly where the witness says, after a clean stop. */
  readonly log: { readonly header: StateHeader; readonly bytes: number } | undefined;
  /** Bytes behind the last commit that verifies, left by a crash. */
  readonly torn: { readonly file: string; readonly offset: number } | undefined;
  /** Some log holds commits that no snapshot covers. */
  readonly hasLogs: boolean;
}

export async function recoverState(
  folder: Folder,
  witnessed: Witnessed,
  report: (damage: Damage) => void,
): Promise<RecoveredState> {
  const names = await folder.list();
  const entries = new StateEntries();
  const snapshots = names.map(parseSnapshotFile).filter((sequence) => sequence !== undefined);
  const covered = Math.max(0, ...snapshots);
  let epoch = 0;
  if (covered > 0) {
    const name = snapshotFile(covered);
    epoch = await reading(folder, name, (file) => readSnapshot(name, file, entries, report));
  }
  const firsts = names
    .map(parseStateLogFile)
    .filter((first) => first !== undefined)
    .filter((first) => first > covered)
    .sort((a, b) => a - b);
  let sequence = covered;
  let log: RecoveredState['log'];
  let torn: RecoveredState['torn'];
  for (const [index, first] of firsts.entries()) {
    const name = stateLogFile(first);
    if (first > sequence + 1) report(missingCommits(name, 0, sequence + 1, first - 1));
    const isLast = index === firsts.length - 1;
    const expectedBytes = isLast
      ? witnessed.stateFirst === first
        ? witnessed.stateBytes
        : 0
      : Number.POSITIVE_INFINITY;
    const contents = await reading(folder, name, (file) =>
      readLog({ name, file, expectedBytes, before: sequence, entries, report }),
    );
    sequence = Math.max(sequence, contents.sequence);
    if (contents.tornAt !== undefined) torn = { file: name, offset: contents.tornAt };
    epoch = Math.max(epoch, contents.header?.epoch ?? 0);
    const isClean = witnessed.clean && witnessed.stateFirst === first && witnessed.stateBytes === contents.size;
    log =
      isLast && isClean && contents.header !== undefined
        ? { header: contents.header, bytes: contents.size }
        : undefined;
  }
  if (sequence < witnessed.stateSequence) {
    const file = stateLogFile(witnessed.stateFirst);
    report(missingCommits(file, 0, sequence + 1, witnessed.stateSequence));
    sequence = witnessed.stateSequence;
  }
  return { entries, sequence, epoch, log, torn, hasLogs: firsts.length > 0 };
}

function missingCommits(file: string, offset: number, from: number, through: number): Damage {
  return { file, offset, reason: `commits ${from} to ${through} of the state are missing` };
}

async function reading<T>(folder: Folder, name: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
  const file = await folder.open(name, 'read');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

async function readHeader(file: DiskFile): Promise<StateHeader | undefined> {
  return decodeStateHeader(await readBytes(file, 0, STATE_HEADER_BYTES));
}

async function readSnapshot(
  name: string,
  file: DiskFile,
  entries: StateEntries,
  report: (damage: Damage) => void,
): Promise<number> {
  const header = await readHeader(file);
  if (header === undefined) {
    report({ file: name, offset: 0, reason: 'the header does not match its checksum' });
    return 0;
  }
  let count = 0;
  let end: number | undefined;
  for await (const step of scanFrames(file, header.id)) {
    if ('gap' in step) {
      const records = await recordsIn(file, step.gap.from, step.gap.to);
      report({ file: name, offset: step.gap.from, reason: 'state entries do not match their checksum', records });
      continue;
    }
    if (step.frame.what === END_FRAME) end = Number(step.frame.json);
    if (step.frame.what !== ENTRIES_FRAME) continue;
    const place = { file: name, seed: segmentSeed(header.id), at: step.at, bytes: step.frame.bytes };
    for (const { change, revision } of decodeEntries(step.frame.json)) {
      entries.apply(change, revision, place);
      count++;
    }
  }
  if (end !== count) report({ file: name, offset: await file.size(), reason: 'the snapshot is not complete' });
  return header.epoch;
}

interface LogReading {
  readonly name: string;
  readonly file: DiskFile;
  readonly expectedBytes: number;
  readonly before: number;
  readonly entries: StateEntries;
  readonly report: (damage: Damage) => void;
}

interface LogContents {
  readonly header: StateHeader | undefined;
  readonly sequence: number;
  readonly tornAt: number | undefined;
  readonly size: number;
}

async function readLog({ name, file, expectedBytes, before, entries, report }: LogReading): Promise<LogContents> {
  const header = await readHeader(file);
  const size = await file.size();
  if (header === undefined) {
    // Header and first commits are one write: a log of which nothing was durable may be torn anywhere.
    if (expectedBytes > 0) report({ file: name, offset: 0, reason: 'the header does not match its checksum' });
    return { header, sequence: before, tornAt: 0, size };
  }
  let durableBytes = Math.max(Number.isFinite(expectedBytes) ? expectedBytes : size, STATE_HEADER_BYTES);
  let sequence = before;
  let end = STATE_HEADER_BYTES;
  let endsInGap = false;
  let hasGap = false;
  for await (const step of scanFrames(file, header.id)) {
    if ('gap' in step) {
      // Only now it matters how far the marks of later frames reach.
      if (!hasGap) durableBytes = Math.max(durableBytes, await markedBehind(file, header, step.gap.to));
      if (step.gap.from >= durableBytes) return { header, sequence, tornAt: step.gap.from, size };
      const records = await recordsIn(file, step.gap.from, step.gap.to);
      report({
        file: name,
        offset: step.gap.from,
        reason: 'commits of the state do not match their checksum',
        records,
      });
      hasGap = endsInGap = true;
      continue;
    }
    const { bytes, durableMark } = step.frame;
    applyCommit(step.frame, entries, { file: name, seed: segmentSeed(header.id), at: step.at, bytes });
    durableBytes = Math.max(durableBytes, durableMark);
    sequence = Math.max(sequence, step.frame.sequence);
    end = step.at + bytes;
    endsInGap = false;
  }
  if (end < durableBytes && !endsInGap) {
    report({ file: name, offset: end, reason: 'commits of the state that were durable are missing' });
  }
  return { header, sequence, tornAt: undefined, size };
}

/** The highest durable mark of the frames from an offset on. */
async function markedBehind(file: DiskFile, { id }: StateHeader, from: number): Promise<number> {
  let marked = 0;
  for await (const step of scanFrames(file, id, from)) {
    if ('frame' in step) marked = Math.max(marked, step.frame.durableMark);
  }
  return marked;
}

function applyCommit(frame: StateFrame, entries: StateEntries, place: FramePlace): void {
  if (frame.what !== COMMIT_FRAME) return;
  for (const change of decodeCommit(frame.json)) entries.apply(change, frame.sequence, place);
}

import type { Damage } from '../damage.ts';
import { parseSnapshotFile, parseStateLogFile, snapshotFile, stateLogFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import {
  COMMIT_FRAME,
  decodeStateHeader,
  END_FRAME,
  ENTRIES_FRAME,
  type FrameStep,
  STATE_HEADER_BYTES,
  type StateFrame,
  type StateHeader,
  scanFrames,
} from '../format/state-frame.ts';
import type { Witnessed } from '../format/witness-sector.ts';
import { decodeCommit, decodeEntries } from './encode-commit.ts';
import { StateEntries } from './state-entries.ts';

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
  if (covered > 0) epoch = readSnapshot((await folder.readFile(snapshotFile(covered)))!, covered, entries, report);
  const firsts = names
    .map(parseStateLogFile)
    .filter((first) => first !== undefined)
    .filter((first) => first > covered)
    .sort((a, b) => a - b);
  let sequence = covered;
  let log: RecoveredState['log'];
  let torn: RecoveredState['torn'];
  for (const [index, first] of firsts.entries()) {
    const bytes = (await folder.readFile(stateLogFile(first)))!;
    if (first > sequence + 1) report(missingCommits(stateLogFile(first), 0, sequence + 1, first - 1));
    const isLast = index === firsts.length - 1;
    const expectedBytes = isLast
      ? witnessed.stateFirst === first
        ? witnessed.stateBytes
        : 0
      : Number.POSITIVE_INFINITY;
    const contents = readLog(stateLogFile(first), bytes, expectedBytes, sequence, entries, report);
    sequence = Math.max(sequence, contents.sequence);
    if (contents.tornAt !== undefined) torn = { file: stateLogFile(first), offset: contents.tornAt };
    epoch = Math.max(epoch, contents.header?.epoch ?? 0);
    const isClean = witnessed.clean && witnessed.stateFirst === first && witnessed.stateBytes === bytes.length;
    log =
      isLast && isClean && contents.header !== undefined ? { header: contents.header, bytes: bytes.length } : undefined;
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

function readSnapshot(
  bytes: Buffer,
  sequence: number,
  entries: StateEntries,
  report: (damage: Damage) => void,
): number {
  const file = snapshotFile(sequence);
  const header = decodeStateHeader(bytes);
  if (header === undefined) {
    report({ file, offset: 0, reason: 'the header does not match its checksum' });
    return 0;
  }
  let count = 0;
  let end: number | undefined;
  for (const step of scanFrames(bytes, header.id)) {
    if ('gap' in step) {
      report({ file, offset: step.gap.from, reason: 'state entries do not match their checksum' });
      continue;
    }
    if (step.frame.what === END_FRAME) end = Number(step.frame.json);
    if (step.frame.what !== ENTRIES_FRAME) continue;
    for (const { change, revision } of decodeEntries(step.frame.json)) {
      entries.apply(change, revision);
      count++;
    }
  }
  if (end !== count) report({ file, offset: bytes.length, reason: 'the snapshot is not complete' });
  return header.epoch;
}

interface LogContents {
  readonly header: StateHeader | undefined;
  readonly sequence: number;
  readonly tornAt: number | undefined;
}

function readLog(
  file: string,
  bytes: Buffer,
  expectedBytes: number,
  before: number,
  entries: StateEntries,
  report: (damage: Damage) => void,
): LogContents {
  const header = decodeStateHeader(bytes);
  if (header === undefined) {
    // Header and first commits are one write: a log of which nothing was durable may be torn anywhere.
    if (expectedBytes > 0) report({ file, offset: 0, reason: 'the header does not match its checksum' });
    return { header, sequence: before, tornAt: 0 };
  }
  const steps = [...scanFrames(bytes, header.id)];
  const marks = steps.map((step) => ('frame' in step ? step.frame.durableMark : 0));
  const durableBytes = Math.max(
    Number.isFinite(expectedBytes) ? expectedBytes : bytes.length,
    STATE_HEADER_BYTES,
    ...chunkMax(marks),
  );
  let sequence = before;
  let end = STATE_HEADER_BYTES;
  let tornAt: number | undefined;
  for (const step of steps) {
    if ('gap' in step) {
      if (step.gap.from >= durableBytes) {
        tornAt = step.gap.from;
        break;
      }
      report({ file, offset: step.gap.from, reason: 'commits of the state do not match their checksum' });
      continue;
    }
    applyCommit(step.frame, entries);
    sequence = Math.max(sequence, step.frame.sequence);
    end = step.at + step.frame.bytes;
  }
  if (end < durableBytes && !endsInGap(steps)) {
    report({ file, offset: end, reason: 'commits of the state that were durable are missing' });
  }
  return { header, sequence, tornAt };
}

function endsInGap(steps: readonly FrameStep[]): boolean {
  const last = steps.at(-1);
  return last !== undefined && 'gap' in last;
}

/** `Math.max(...marks)` would overflow the stack with a log of a hundred thousand commits. */
function chunkMax(marks: readonly number[]): [number] {
  let max = 0;
  for (const mark of marks) max = Math.max(max, mark);
  return [max];
}

function applyCommit(frame: StateFrame, entries: StateEntries): void {
  if (frame.what !== COMMIT_FRAME) return;
  for (const change of decodeCommit(frame.json)) entries.apply(change, frame.sequence);
}

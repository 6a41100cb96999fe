/** What a person does to a data directory, for the command of this package and for `event-manager journal`. */
import { EventManagerError, systemRuntime } from '@event-manager/core';
import { inspect } from './cli/inspect.ts';
import { type LostRecord, repair } from './cli/repair.ts';
import { verify } from './cli/verify.ts';
import type { Damage } from './damage.ts';
import { isJournalFile, LOCK_FILE, parseSegmentFile } from './files/file-names.ts';
import { Folder } from './files/folder.ts';
import { nodeDisk } from './files/node-disk.ts';

export type JournalCommand = 'verify' | 'inspect' | 'repair';

export interface JournalReport {
  /** For programs. */
  readonly result: object;
  /** For people. */
  readonly lines: readonly string[];
  /** Damage was found and is still there. */
  readonly isDamaged: boolean;
}

/** So many segments of how many were read. */
export type Progress = (done: number, total: number) => void;

/** `undefined` when the directory holds no journal. Throws `store_locked` while a process has it open. */
export async function runJournalCommand(
  command: JournalCommand,
  directory: string,
  progress: Progress = () => {},
): Promise<JournalReport | undefined> {
  const folder = new Folder(nodeDisk, systemRuntime, directory);
  if (!(await folder.list()).some(isJournalFile)) return undefined;
  if (command === 'repair') return runRepair(folder, directory);
  return unused(folder, () => (command === 'verify' ? runVerify(folder, progress) : runInspect(folder)));
}

/** Whether a process has the directory open now. Makes nothing that is not there. */
export async function isInUse(directory: string): Promise<boolean> {
  const folder = new Folder(nodeDisk, systemRuntime, directory);
  if (!(await folder.list()).includes(LOCK_FILE)) return false;
  const release = await nodeDisk.lock(folder.path(LOCK_FILE));
  await release?.();
  return release === undefined;
}

async function runVerify(folder: Folder, progress: Progress): Promise<JournalReport> {
  const total = (await folder.list()).filter((name) => parseSegmentFile(name) !== undefined).length;
  let done = 0;
  const { damages, notes, head } = await verify(folder, async () => progress(++done, total));
  const verdict = damages.length === 0 ? `undamaged; last position ${head}` : `${damages.length} damaged`;
  const lines = [...damages.map(damageLine), ...notes, verdict];
  return { result: { damages, notes, head }, lines, isDamaged: damages.length > 0 };
}

async function runInspect(folder: Folder): Promise<JournalReport> {
  const result = await inspect(folder);
  return { result, lines: [JSON.stringify(result, undefined, 2)], isDamaged: false };
}

async function runRepair(folder: Folder, directory: string): Promise<JournalReport> {
  const { damages, lost, records } = await repair(folder);
  const done = [
    ...damages.map(damageLine),
    ...records.map(recordLine),
    `repaired; copies are in ${directory}/quarantine`,
  ];
  const lines = damages.length === 0 ? ['nothing to repair'] : done;
  return { result: { damages, lost, records }, lines, isDamaged: false };
}

/** A journal that is open changes while it is read: half-written batches would look like damage. */
async function unused<T>(folder: Folder, work: () => Promise<T>): Promise<T> {
  if (!(await folder.list()).includes(LOCK_FILE)) return work();
  const release = await nodeDisk.lock(folder.path(LOCK_FILE));
  if (release === undefined)
    throw new EventManagerError('store_locked', 'A process has the data directory open; stop it first.');
  try {
    return await work();
  } finally {
    await release();
  }
}

function recordLine({ kind, key, now }: LostRecord): string {
  return now === 'gone'
    ? `${kind} ${key} is gone`
    : `${kind} ${key} has an older or newer value than the one that is gone`;
}

function damageLine({ file, offset, reason, lost }: Damage): string {
  const range = lost === undefined ? '' : `; positions ${lost.from} to ${lost.through} are lost`;
  return `${file}: offset ${offset}: ${reason}${range}`;
}

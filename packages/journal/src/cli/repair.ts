import { EventManagerError } from '@event-manager/core';
import { copyAside, type Damage, type Range, recordLost } from '../damage.ts';
import { FailStop } from '../fail-stop.ts';
import {
  DAMAGE_FILE,
  indexFileOf,
  LOCK_FILE,
  parseSegmentFile,
  parseSnapshotFile,
  parseStateLogFile,
  QUARANTINE_DIR,
  WITNESS_FILE,
} from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { OpenFiles } from '../files/open-files.ts';
import { NO_SEGMENT } from '../format/segment-id.ts';
import { encodeWitnessSector } from '../format/witness-sector.ts';
import { removeSegment, writeAnew } from '../log/rewrite-segment.ts';
import type { RecordName } from '../state/records-in.ts';
import { StateValues } from '../state/state-values.ts';
import { writeSnapshot } from '../state/write-snapshot.ts';
import { type Verification, type VerifiedSegment, verify } from './verify.ts';

export interface Repair {
  readonly damages: readonly Damage[];
  /** Positions given up for good. */
  readonly lost: readonly Range[];
  /** Records of the state that damaged bytes named. */
  readonly records: readonly LostRecord[];
}

export interface LostRecord extends RecordName {
  /** `gone`: no value of it is left. `other value`: an older or newer one is. */
  readonly now: 'gone' | 'other value';
}

/**
 * Makes a damaged directory writable again. Every damaged file is copied to `quarantine/` before anything is changed; then
 * segments are written anew with the records that verify, the state with the entries that verify, and what is lost is
 * put on record. A crash in the middle leaves damage or copies, and repairing again finishes.
 */
export async function repair(folder: Folder): Promise<Repair> {
  const release = await folder.disk.lock(folder.path(LOCK_FILE));
  if (release === undefined) throw new EventManagerError('store_locked', 'A process has the data directory open.');
  try {
    return await repairLocked(folder);
  } finally {
    await release();
  }
}

async function repairLocked(folder: Folder): Promise<Repair> {
  const found = await verify(folder);
  if (found.damages.length === 0) return { damages: [], lost: [], records: [] };
  for (const file of new Set(found.damages.map(({ file }) => file))) await quarantine(folder, file);
  const damaged = new Set(found.damages.map(({ file }) => file));
  const lost = found.damages.flatMap((damage) => (damage.lost === undefined ? [] : [damage.lost]));
  // On record before the damaged files go: from here on the loss is known, whatever happens to this process.
  await recordLost(folder, lost);
  // An interrupted repair may have left what it had already written anew: that must not be written a second time.
  for (const { file } of [...found.leftovers, ...found.spoilt]) await removeSegment(folder, file);
  await verify(folder, (segment) => repairSegment(folder, segment, damaged));
  await repairState(folder, found, damaged);
  const { last } = found.witness;
  const sector = encodeWitnessSector({
    ...last,
    sequence: last.sequence + 1,
    clean: false,
    // Segments were written anew: which one is the newest, and how long, shows when the journal is opened.
    segmentId: NO_SEGMENT,
    segmentBytes: 0,
    position: found.head,
    stateSequence: found.state.sequence,
    stateFirst: found.state.sequence + 1,
    stateBytes: 0,
  });
  await folder.replaceFile(WITNESS_FILE, [sector, sector]);
  await folder.removeIfThere(DAMAGE_FILE);
  await folder.syncDir();
  return { damages: found.damages, lost, records: lostRecords(found) };
}

function lostRecords({ damages, state }: Verification): LostRecord[] {
  const names = damages.flatMap(({ records }) => records ?? []);
  return names.map(({ kind, key }) => {
    const now = state.entries.get(kind, key) === undefined ? 'gone' : 'other value';
    return { kind, key, now };
  });
}

async function quarantine(folder: Folder, file: string): Promise<void> {
  if (!(await folder.list()).includes(file)) return;
  // An older copy of the same name may be of an earlier damage: both are kept.
  const taken = await namesIn(folder.folder(QUARANTINE_DIR));
  let as = file;
  for (let number = 2; taken.includes(as); number++) as = `${file}.${number}`;
  await copyAside(folder, file, QUARANTINE_DIR, as, 0);
}

async function namesIn(folder: Folder): Promise<string[]> {
  await folder.make();
  return folder.list();
}

async function repairSegment(
  folder: Folder,
  { segment, contents, bytes }: VerifiedSegment,
  damaged: ReadonlySet<string>,
): Promise<void> {
  const index = indexFileOf(segment.file);
  if (damaged.has(index)) await folder.removeIfThere(index);
  if (!damaged.has(segment.file) || parseSegmentFile(segment.file) === undefined) return;
  // A segment of which nothing is left need not exist: its positions are on record as lost.
  if (contents.index.count > 0) await writeAnew(folder, bytes, contents);
  await removeSegment(folder, segment.file);
}

async function repairState(folder: Folder, { state }: Verification, damaged: ReadonlySet<string>): Promise<void> {
  const isDamaged = [...damaged].some(
    (file) => parseStateLogFile(file) !== undefined || parseSnapshotFile(file) !== undefined,
  );
  if (!isDamaged) return;
  const files = new OpenFiles(folder);
  try {
    // What was readable a moment ago is damage again if it is not now: then the repair ends and changes nothing more.
    const values = new StateValues(state.entries, files, () => {});
    await writeSnapshot({ ...state, folder, values, failStop: new FailStop() }, Math.max(1, state.sequence));
  } finally {
    await files.closeAll();
  }
}

import type { StateKind } from '@event-manager/core';
import type { FailStop } from '../fail-stop.ts';
import { parseSnapshotFile, parseStateLogFile, snapshotFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { newSegmentId } from '../format/segment-id.ts';
import { END_FRAME, ENTRIES_FRAME, encodeFrame, encodeStateHeader, STATE_SNAPSHOT } from '../format/state-frame.ts';
import { encodeEntries } from './encode-commit.ts';
import type { KeptValue, StateEntries } from './state-entries.ts';

/** Characters of one frame: small enough to encode between two turns of the event loop. */
const FRAME_CHARACTERS = 64 << 10;

/**
 * Writes the state as it is after commit `sequence`, then removes the logs and snapshots that this one covers.
 *
 * Commits may go on meanwhile, into a log that begins behind `sequence`. Then the snapshot holds some of their values
 * already; that is harmless, since that log is replayed over it and every change in it is absolute. When the store stops
 * meanwhile, everything stays as it is.
 */
export async function writeSnapshot(
  folder: Folder,
  entries: StateEntries,
  sequence: number,
  epoch: number,
  failStop: FailStop,
): Promise<void> {
  const chunks = snapshotChunks(folder, entries, sequence, epoch);
  await folder.replaceFile(snapshotFile(sequence), chunks, () => failStop.assertRunning());
  await removeCovered(folder, sequence, failStop);
}

async function* snapshotChunks(
  folder: Folder,
  entries: StateEntries,
  sequence: number,
  epoch: number,
): AsyncGenerator<Uint8Array> {
  const id = newSegmentId(folder.runtime.chance);
  yield encodeStateHeader({ what: STATE_SNAPSHOT, epoch, id, sequence });
  let rows: (readonly [StateKind, string, KeptValue])[] = [];
  let characters = 0;
  let count = 0;
  for (const row of entries.all()) {
    rows.push(row);
    count++;
    characters += row[1].length + row[2].json.length;
    if (characters < FRAME_CHARACTERS) continue;
    yield encodeFrame(id, sequence, ENTRIES_FRAME, 0, encodeEntries(rows));
    rows = [];
    characters = 0;
  }
  if (rows.length > 0) yield encodeFrame(id, sequence, ENTRIES_FRAME, 0, encodeEntries(rows));
  yield encodeFrame(id, sequence, END_FRAME, 0, String(count));
}

async function removeCovered(folder: Folder, sequence: number, failStop: FailStop): Promise<void> {
  folder.failpoint('journal.snapshot.remove.before');
  for (const name of await folder.list()) {
    const snapshot = parseSnapshotFile(name);
    const log = parseStateLogFile(name);
    // A log that begins at or before `sequence` also ends there: commits behind it go to the next one.
    if ((snapshot ?? sequence) >= sequence && (log ?? sequence + 1) > sequence) continue;
    failStop.assertRunning();
    await folder.removeIfThere(name);
  }
  await folder.syncDir();
  folder.failpoint('journal.snapshot.remove.after');
}

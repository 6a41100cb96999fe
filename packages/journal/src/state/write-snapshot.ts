import type { FailStop } from '../fail-stop.ts';
import { parseSnapshotFile, parseStateLogFile, snapshotFile } from '../files/file-names.ts';
import type { Folder } from '../files/folder.ts';
import { newSegmentId, segmentSeed } from '../format/segment-id.ts';
import {
  END_FRAME,
  ENTRIES_FRAME,
  encodeFrame,
  encodeStateHeader,
  STATE_HEADER_BYTES,
  STATE_SNAPSHOT,
} from '../format/state-frame.ts';
import { encodeEntries, encodeEntry } from './encode-commit.ts';
import type { FramePlace, KeptValue, StateEntries } from './state-entries.ts';
import type { StateValues } from './state-values.ts';

/** Characters of one frame: small enough to encode between two turns of the event loop. */
const FRAME_CHARACTERS = 64 << 10;

export interface SnapshotParts {
  readonly folder: Folder;
  readonly failStop: FailStop;
  readonly entries: StateEntries;
  readonly values: StateValues;
  readonly epoch: number;
}

/** A value that is not in memory, and where the snapshot has it. */
interface TakenOver {
  readonly kept: KeptValue;
  readonly frame: FramePlace;
}

/**
 * Writes the state as it is after commit `sequence`, then removes the logs and snapshots that this one covers.
 *
 * Commits may go on meanwhile, into a log that begins behind `sequence`. Then the snapshot holds some of their values
 * already; that is harmless, since that log is replayed over it and every change in it is absolute. When the store stops
 * meanwhile, everything stays as it is.
 *
 * Values that are not in memory are copied from the file they are in, a frame at a time, and are read from the snapshot as
 * soon as that is durable: before the old files go.
 */
export async function writeSnapshot(parts: SnapshotParts, sequence: number): Promise<void> {
  const { folder, failStop, values } = parts;
  const taken: TakenOver[] = [];
  const name = snapshotFile(sequence);
  await folder.replaceFile(name, snapshotChunks(parts, sequence, taken), () => failStop.assertRunning());
  // A damaged or useless one of the same name may have been open.
  await values.drop(name);
  for (const { kept, frame } of taken) kept.frame = frame;
  await removeCovered(parts, sequence);
}

async function* snapshotChunks(
  { folder, entries, values, epoch }: SnapshotParts,
  sequence: number,
  taken: TakenOver[],
): AsyncGenerator<Uint8Array> {
  const id = newSegmentId(folder.runtime.chance);
  const seed = segmentSeed(id);
  const file = snapshotFile(sequence);
  let at = STATE_HEADER_BYTES;
  let rows: string[] = [];
  let onDisk: KeptValue[] = [];
  let characters = 0;
  let count = 0;
  const frameOfRows = (): Buffer => {
    const frame = encodeFrame(id, sequence, ENTRIES_FRAME, 0, encodeEntries(rows));
    const place = { file, seed, at, bytes: frame.length };
    for (const kept of onDisk) taken.push({ kept, frame: place });
    at += frame.length;
    rows = [];
    onDisk = [];
    characters = 0;
    return frame;
  };
  yield encodeStateHeader({ what: STATE_SNAPSHOT, epoch, id, sequence });
  for (const [kind, key, kept] of entries.all()) {
    rows.push(encodeEntry(kind, key, kept.revision, await values.json(kind, key, kept)));
    if (kept.frame !== undefined) onDisk.push(kept);
    count++;
    characters += key.length + kept.characters;
    if (characters >= FRAME_CHARACTERS) yield frameOfRows();
  }
  if (rows.length > 0) yield frameOfRows();
  yield encodeFrame(id, sequence, END_FRAME, 0, String(count));
}

async function removeCovered({ folder, failStop, values }: SnapshotParts, sequence: number): Promise<void> {
  folder.failpoint('journal.snapshot.remove.before');
  for (const name of await folder.list()) {
    const snapshot = parseSnapshotFile(name);
    const log = parseStateLogFile(name);
    // A log that begins at or before `sequence` also ends there: commits behind it go to the next one.
    if ((snapshot ?? sequence) >= sequence && (log ?? sequence + 1) > sequence) continue;
    await values.drop(name);
    failStop.assertRunning();
    await folder.removeIfThere(name);
  }
  await folder.syncDir();
  folder.failpoint('journal.snapshot.remove.after');
}

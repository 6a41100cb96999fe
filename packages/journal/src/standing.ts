import { EventManagerError, type Extent } from '@event-manager/core';
import { errorCode } from './files/error-code.ts';
import {
  DAMAGE_FILE,
  INCOMPLETE_FILE,
  isContentFile,
  isJournalFile,
  LOST_FILE,
  MOVED_FILE,
  WITNESS_FILE,
} from './files/file-names.ts';
import type { Folder } from './files/folder.ts';
import { encodeWitnessSector, NOTHING_WITNESSED } from './format/witness-sector.ts';

/*
 * Whether a directory is in use, being filled, or left: two files of which at most one is there, each made and removed under
 * the lock of the directory.
 *
 *   (no file) in use or empty ── beginAnew ──▶ `incomplete` ── markWhole ──▶ (no file)
 *   (no file) in use ── markMoved ──▶ `moved` ── unmarkMoved ──▶ (no file)
 *
 * `incomplete` is durable before the first byte that it speaks of, and goes after the last of them is: so what a crash leaves
 * is never taken for a whole journal. Both files are empty. A directory that has moved keeps everything it had.
 */

export async function assertInUse(folder: Folder): Promise<void> {
  const names = await folder.list();
  if (names.includes(MOVED_FILE)) {
    throw new EventManagerError('store_moved', 'What this data directory held has moved to another store.');
  }
  if (names.includes(INCOMPLETE_FILE)) {
    throw new EventManagerError(
      'store_incomplete',
      'The data directory was filled from another store, but not wholly.',
    );
  }
}

/** Before anything is made here. */
export async function assertThere(folder: Folder): Promise<void> {
  const names = await folder.list().catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  });
  if (!names.some(isJournalFile)) throw new EventManagerError('store_not_found', 'The directory holds no journal.');
}

/** Removes what an interrupted copy left, and makes a journal without events that begins at the extent's first position. */
export async function beginAnew(folder: Folder, { first }: Extent): Promise<void> {
  const names = await folder.list();
  const isIncomplete = names.includes(INCOMPLETE_FILE);
  if (!isIncomplete && (names.includes(MOVED_FILE) || names.some(isContentFile))) {
    throw new EventManagerError('store_not_empty', 'The data directory holds a journal already.');
  }
  if (!isIncomplete) await folder.replaceFile(INCOMPLETE_FILE, []);
  const mayGo = (name: string) =>
    isJournalFile(name) || isContentFile(name) || name === LOST_FILE || name === DAMAGE_FILE;
  for (const name of names) if (mayGo(name)) await folder.remove(name);
  const before = first - 1;
  const sector = encodeWitnessSector({ ...NOTHING_WITNESSED, sequence: 1, position: before, trimmedThrough: before });
  await folder.replaceFile(WITNESS_FILE, [sector, sector]);
}

export async function markWhole(folder: Folder): Promise<void> {
  await folder.removeIfThere(INCOMPLETE_FILE);
  await folder.syncDir();
}

export function markMoved(folder: Folder): Promise<void> {
  return folder.replaceFile(MOVED_FILE, []);
}

export async function unmarkMoved(folder: Folder): Promise<void> {
  await folder.removeIfThere(MOVED_FILE);
  await folder.syncDir();
}

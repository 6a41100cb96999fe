import { type FileHandle, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Disk, DiskFile } from '@event-manager/core';
import { errorCode } from './error-code.ts';

/** SQLite's codes for "somebody else holds it". */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

const FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const;

/** The file system of this machine. Files are made readable and writable by their owner alone: events are private. */
export const nodeDisk: Disk = {
  async open(path, mode) {
    return new NodeFile(path, await open(path, FLAGS[mode], 0o600));
  },
  rename,
  remove: unlink,
  async makeDir(path) {
    const first = await makeLevels(resolve(path));
    if (first === undefined) return;
    // A new folder's name is an entry of its parent: until that is synced a power failure may take the folder with all in it.
    const top = dirname(resolve(first));
    for (let dir = dirname(resolve(path)); ; dir = dirname(dir)) {
      await syncDir(dir);
      if (dir === top || dir === dirname(dir)) return;
    }
  },
  async list(dir) {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  },
  syncDir,
  lock,
  async freeBytes(dir) {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  },
};

/**
 * Makes what is missing of a path, level by level; returns the highest level it made. Node's own recursion goes on for ever
 * where a folder takes no entries and calls that ENOENT, as /proc does (26.10).
 */
async function makeLevels(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return undefined;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const first = await makeLevels(dirname(path));
  const own = await makeLevelBelow(path);
  return first ?? own;
}

/** Once more and no further: its parent is there now. Somebody else may have made it meanwhile. */
async function makeLevelBelow(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return path;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

async function syncDir(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * An exclusive transaction on an otherwise empty SQLite file. SQLite takes POSIX record locks, which the kernel releases
 * when the process dies, and it also refuses a second holder in the same process, which bare POSIX locks would not. A file
 * that holds a process id would be stale after a crash and wrong after the id is reused.
 *
 * The file gets its first page when it is made: on an empty one the transaction itself begins by writing, and then a journal
 * could not be opened, nor repaired or emptied, on a disk that is completely full.
 */
async function lock(path: string): Promise<(() => Promise<void>) | undefined> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    const isEmpty = database.prepare('PRAGMA page_count').get()?.['page_count'] === 0;
    if (isEmpty) database.exec('PRAGMA user_version = 1');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const { errcode } = error as { errcode?: number };
    if (errcode !== undefined && [SQLITE_BUSY, SQLITE_LOCKED].includes(errcode & 0xff)) return undefined;
    throw error;
  }
  return async () => database.close();
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(into: Uint8Array, at: number): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, at)).bytesRead;
  }

  async write(bytes: Uint8Array, at: number): Promise<number> {
    return (await this.#handle.write(bytes, 0, bytes.length, at)).bytesWritten;
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

import { mkdirSync, readdirSync } from 'node:fs';
import { EventManagerError } from '@event-manager/core';
import { ClassicLevel } from 'classic-level';
import { FORMAT, FORMAT_KEY } from './layout.ts';

export type Database = ClassicLevel<Buffer, Buffer>;

/**
 * What may be there without CURRENT: files of a process that died while it made a database, in which nothing is yet; what a file system
 * has at its root, and what is hidden.
 */
const BEFORE_A_DATABASE = /^(LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.dbtmp|lost\+found|\..*)$/;

/**
 * Opens the database in a folder, which is made when it is not there. Its lock is one of the kernel: it ends with its holder,
 * however that dies. What is there and not ours stays as it is: LevelDB would remove files whose names look like its own. Throws
 * `store_locked`, `unsupported_format`, `store_failed`.
 */
export async function openDatabase(folder: string): Promise<Database> {
  prepareFolder(folder);
  const database = new ClassicLevel<Buffer, Buffer>(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  try {
    await database.open();
    await assertFormat(database);
    return database;
  } catch (error) {
    // Whoever tries again would find it locked by us.
    await database.close().catch(() => {});
    throw openingFailed(error);
  }
}

function prepareFolder(folder: string): void {
  let files: string[];
  try {
    // LevelDB makes files that everybody may read; the folder keeps them to its owner, as that of a journal does.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    files = readdirSync(folder);
  } catch (error) {
    throw openingFailed(error);
  }
  if (files.includes('CURRENT') || files.every((name) => BEFORE_A_DATABASE.test(name))) return;
  throw new EventManagerError('unsupported_format', 'The folder of the LevelDB store holds something else.');
}

async function assertFormat(database: Database): Promise<void> {
  const format = (await database.get(FORMAT_KEY))?.toString();
  if (format === FORMAT) return;
  if (format !== undefined) {
    const words = `The LevelDB store has the format ${format}; ${FORMAT} is known.`;
    throw new EventManagerError('unsupported_format', words);
  }
  if ((await database.keys({ limit: 1 }).all()).length > 0) {
    throw new EventManagerError('unsupported_format', 'The LevelDB database is of another program.');
  }
  await database.put(FORMAT_KEY, Buffer.from(FORMAT), { sync: true });
}

function openingFailed(error: unknown): EventManagerError {
  if (error instanceof EventManagerError) return error;
  const { cause = error } = error as { cause?: unknown };
  const { code, message } = cause as { code?: string; message: string };
  if (code === 'LEVEL_LOCKED') {
    return new EventManagerError(
      'store_locked',
      'Another process, or this one, has the LevelDB store open.',
      {},
      error,
    );
  }
  return new EventManagerError('store_failed', `The LevelDB store cannot be opened: ${message}`, {}, error);
}

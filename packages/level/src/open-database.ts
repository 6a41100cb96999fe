import { mkdirSync } from 'node:fs';
import { EventManagerError } from '@event-manager/core';
import { ClassicLevel } from 'classic-level';
import { FORMAT, FORMAT_KEY } from './layout.ts';

export type Database = ClassicLevel<Buffer, Buffer>;

/**
 * Opens the database in a folder, which is made when it is not there. Its lock is one of the kernel: it ends with its holder,
 * however that dies. Throws `store_locked`, `unsupported_format`, `store_failed`.
 */
export async function openDatabase(folder: string): Promise<Database> {
  const database = new ClassicLevel<Buffer, Buffer>(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  try {
    // LevelDB makes files that everybody may read; the folder keeps them to its owner, as that of a journal does.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    await database.open();
  } catch (error) {
    throw openingFailed(error);
  }
  const format = (await database.get(FORMAT_KEY))?.toString();
  if (format === undefined) await database.put(FORMAT_KEY, Buffer.from(FORMAT), { sync: true });
  else if (format !== FORMAT) {
    await database.close();
    throw new EventManagerError(
      'unsupported_format',
      `The LevelDB store has the format ${format}; ${FORMAT} is known.`,
    );
  }
  return database;
}

function openingFailed(error: unknown): EventManagerError {
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

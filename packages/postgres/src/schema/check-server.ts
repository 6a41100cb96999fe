import { EventManagerError } from '@event-manager/core';
import type { Client } from 'pg';
import { noWritesHere } from '../connect/store-error.ts';

const VERSION_MIN = 130_000;
/** Settings under which a commit is on the disk of the server before it is answered. */
const SYNCED = new Set(['on', 'remote_write', 'remote_apply']);

interface Settings {
  readonly version: number;
  readonly encoding: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly isCopy: boolean;
}

/** Refuses a server that cannot keep what the adapter promises in its name. */
export async function checkServer(client: Client, durability: 'synced' | 'relaxed'): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS "synchronousCommit",
       pg_is_in_recovery() AS "isCopy"`,
  );
  const { version, encoding, fsync, synchronousCommit, isCopy } = rows[0] as Settings;
  if (isCopy) throw noWritesHere();
  if (version < VERSION_MIN) throw refusal('PostgreSQL 13 or newer is needed.');
  if (encoding !== 'UTF8') throw refusal(`The database must have the encoding UTF8, not ${encoding}.`);
  if (durability === 'relaxed') return;
  if (fsync !== 'on') throw refusal(`fsync is ${fsync}: ${ASK_FOR_RELAXED}`);
  if (!SYNCED.has(synchronousCommit)) throw refusal(`synchronous_commit is ${synchronousCommit}: ${ASK_FOR_RELAXED}`);
}

const ASK_FOR_RELAXED = 'what is acknowledged could be lost. Change it, or say durability: relaxed.';

function refusal(why: string): EventManagerError {
  return new EventManagerError('invalid_setting', why);
}

import { EventManagerError, type Extent } from '@event-manager/core';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { migrate } from './schema/migrate.ts';

/*
 * One connection for as long as a store is being left or filled. What it holds there is released by the server when the
 * connection ends, however it ends, so a process that dies leaves nothing locked.
 *
 * Leaving: a transaction that holds the heads of log and state. Others read; whoever appends or commits waits, and is told
 * `store_unavailable` when its time is over. The mark `moved` is committed by this very transaction, so those that still wait
 * are refused by it, and if the connection was lost meanwhile the mark is not made.
 *
 * Filling: an advisory lock that keeps a second process from filling the same store at the same time.
 */

/** Of appends and commits under way, which take milliseconds; who moves the store holds them for good. */
const LOCK_WAIT = '10s';
/** Any other number than that of migrations. */
const LOCK_CLASS = 0x45_4d_43;
const LOCK_NOT_AVAILABLE = '55P03';

export class MoveSession {
  readonly #client: Client;
  readonly #name: string;
  readonly #schema: string;

  /** `client` is connected and has no time limits; whoever made the session ends it by `close`. */
  constructor(client: Client, schema: string) {
    this.#client = client;
    this.#name = schema;
    this.#schema = escapeIdentifier(schema);
  }

  /** Throws `store_not_found` where no store was ever made, and makes none. */
  async assertThere(): Promise<void> {
    const { rows } = await this.#client.query('SELECT to_regclass($1) IS NOT NULL AS found', [
      `${this.#schema}.schema_migrations`,
    ]);
    if (!rows[0].found) throw new EventManagerError('store_not_found', 'The database keeps no events in this schema.');
    await migrate(this.#client, this.#name);
  }

  async leave(): Promise<void> {
    const client = this.#client;
    await client.query(
      `BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '${LOCK_WAIT}'`,
    );
    try {
      await client.query(`SELECT 1 FROM ${this.#schema}.log_head FOR UPDATE`);
      await client.query(`SELECT 1 FROM ${this.#schema}.state_head FOR UPDATE`);
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
      throw new EventManagerError('store_locked', 'Another process is moving this store.', { retryAfterMs: 1_000 });
    }
    await client.query(`SELECT ${this.#schema}.assert_in_use(NULL)`);
  }

  async markMoved(): Promise<void> {
    await this.#client.query(`UPDATE ${this.#schema}.store_standing SET standing = 'moved'`);
    await this.#client.query('COMMIT');
  }

  async stay(): Promise<void> {
    await this.#client.query(`UPDATE ${this.#schema}.store_standing SET standing = 'in use' WHERE standing = 'moved'`);
  }

  async beginRestore(restorer: string, { first }: Extent): Promise<void> {
    const { rows } = await this.#client.query('SELECT pg_try_advisory_lock($1, hashtext($2)) AS locked', [
      LOCK_CLASS,
      this.#name,
    ]);
    if (!rows[0].locked) {
      throw new EventManagerError('store_locked', 'Another process is filling this store.', { retryAfterMs: 1_000 });
    }
    await this.#client.query(`SELECT ${this.#schema}.begin_restore($1, $2)`, [restorer, first]);
  }

  /** Plans of queries depend on counts that the server otherwise takes in its own time. */
  async completeRestore(restorer: string, { head }: Extent): Promise<void> {
    await this.#client.query(
      `ANALYZE ${this.#schema}.events, ${this.#schema}.event_ids, ${this.#schema}.state_records`,
    );
    await this.#client.query(`SELECT ${this.#schema}.complete_restore($1, $2)`, [restorer, head]);
  }

  /** What it held and did not commit is given up. */
  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}

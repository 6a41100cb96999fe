import { EventManagerError, isEventManagerError, type Runtime } from '@event-manager/core';
import { type ClientConfig, Pool, type PoolClient, type QueryConfig, types } from 'pg';
import { Hosts } from './hosts.ts';
import { PartingClient } from './parting-client.ts';
import { Reach } from './reach.ts';
import { isCancelled, isOverdue, leavesUsable, noConnectionInTime, noWritesHere, storeError } from './store-error.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly queryTimeoutMs: number;
  readonly runtime: Runtime;
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** May take long by itself, and is asked for less when it takes too long. */
  readonly isSearch?: true;
}

export interface Answer<Row> {
  readonly rows: readonly Row[];
  /** 1 unless earlier tries failed; those may have had their effect all the same. */
  readonly tries: number;
}

const APPLICATION_NAME = 'event-manager';
const FIRST_PAUSE_MS = 25;
const PAUSE_MS_MAX = 500;
const INT8 = 20;
/** A last try gets so long, however little is left. */
const LAST_TRY_MS = 100;
/** Of all connections. */
const SEARCH_SHARE = 1 / 4;
/** Of the time of a call: the server gives a search up while somebody is left who hears that it did. */
const SEARCH_TIME_SHARE = 3 / 4;
/** A connection without traffic is asked so often whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;
/**
 * What must not depend on how the database is set: the same question from the server, which otherwise keeps the connections of a
 * machine that lost its power for two hours; and that each statement of a function sees what was committed before it.
 */
const SESSION_SETTINGS = [
  '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3',
  '-c default_transaction_isolation=read\\ committed',
].join(' ');

/**
 * A statement arrives in parts, and the server acts on one part before the last is there. A connection that breaks without a sound in
 * between leaves a transaction that holds its locks and waits for ever; nobody could append any more. No statement of ours
 * waits for its client once it has written, so whatever does is one of these.
 */
const END_STUCK = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND application_name = '${APPLICATION_NAME}'
    AND state = 'active' AND wait_event = 'ClientRead' AND backend_xid IS NOT NULL
    AND state_change < clock_timestamp() - interval '1 second'`;

/** Positions, revisions and milliseconds are exact as numbers. */
const NUMBERS_AS_NUMBERS = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

/**
 * The connections to one database. Every statement that goes through here may be repeated without harm (an append by the ids
 * of its events, a commit by its number), so what fails for a reason that passes is tried again, on another connection,
 * until `queryTimeoutMs` are over: a server that restarts or fails over is a pause for the caller, and a lost answer is
 * asked for again rather than guessed. Single statements only: a connection never holds an open transaction.
 */
export class Connections {
  /** How the way to the server is, as calls that must not wait long find it. */
  readonly reach: Reach;
  readonly hosts: Hosts;
  readonly #options: ConnectionOptions;
  readonly #pool: Pool;
  /** Searches take long: they leave the other connections to what may not wait for them. */
  readonly #searches: Pool;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.hosts = new Hosts(options.url);
    this.reach = new Reach(options.runtime.clock);
    const forSearches = Math.floor(options.maxConnections * SEARCH_SHARE);
    const searchMs = Math.ceil(options.queryTimeoutMs * SEARCH_TIME_SHARE);
    this.#pool = this.#makePool(
      options.maxConnections - forSearches,
      forSearches === 0 ? searchMs : options.queryTimeoutMs,
    );
    this.#searches = forSearches === 0 ? this.#pool : this.#makePool(forSearches, searchMs);
  }

  get queryTimeoutMs(): number {
    return this.#options.queryTimeoutMs;
  }

  /** On the clock that time limits go by. */
  nowMs(): number {
    return this.#options.runtime.clock.monotonicMs();
  }

  get facts(): { connections: number; idle: number; waiting: number } {
    const sum = (count: (pool: Pool) => number) => this.#pools().reduce((total, pool) => total + count(pool), 0);
    return {
      connections: sum((pool) => pool.totalCount),
      idle: sum((pool) => pool.idleCount),
      waiting: sum((pool) => pool.waitingCount),
    };
  }

  /** Rows of one statement, tried again until the deadline. */
  async ask<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.askCounted<Row>(text, values)).rows;
  }

  /** The same, telling how often it was tried, and with less time than any call may take. */
  async askCounted<Row>(text: string, values: readonly unknown[] = [], withinMs?: number): Promise<Answer<Row>> {
    const call = this.reach.began();
    try {
      return await this.#track(this.#repeat<Row>(this.#pool, { text, values }, withinMs));
    } finally {
      this.reach.ended(call);
    }
  }

  /**
   * Rows of a statement that may take long, on connections set apart for such. One that the server gives up (`isCancelled`) is not
   * tried again: it would take as long.
   */
  async search<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#track(this.#repeat<Row>(this.#searches, { text, values, isSearch: true }))).rows;
  }

  /** A connection beside the pool, not connected yet. Whoever asks for it ends it. */
  single(limits: { timeoutMs: number | undefined }): PartingClient {
    const { timeoutMs } = limits;
    // Without a limit for the statement there is none for the locks that it waits for.
    const lockTimeout = timeoutMs === undefined ? { lock_timeout: 0 } : {};
    const limited = { query_timeout: timeoutMs, statement_timeout: timeoutMs ?? 0, ...lockTimeout };
    return new PartingClient({ ...this.#config(), ...limited, hosts: this.hosts, runtime: this.#options.runtime });
  }

  /** Waits for what is under way and ends every connection. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Lets what is under way end with the try that it is in. */
  stopTrying(): void {
    this.#isStopping = true;
  }

  async #close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await Promise.all(this.#pools().map((pool) => pool.end()));
  }

  async #repeat<Row>(pool: Pool, statement: Statement, withinMs = this.#options.queryTimeoutMs): Promise<Answer<Row>> {
    const deadlineMs = this.nowMs() + withinMs;
    for (let tries = 1, pauseMs = FIRST_PAUSE_MS; ; tries++, pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs)) {
      try {
        const rows = await this.#try<Row>(pool, statement, deadlineMs);
        this.reach.succeeded();
        return { rows, tries };
      } catch (error) {
        const known = storeError(error);
        this.reach.failed(known);
        // Who closes waits for what is under way, not for a server that may never come back.
        const isWorthTrying = isEventManagerError(known, 'store_unavailable') && !this.#isStopping;
        if (statement.isSearch && isCancelled(known)) throw known;
        if (!isWorthTrying || this.nowMs() + pauseMs >= deadlineMs) throw known;
        if (isBlocked(known)) await this.#endStuck(pool, deadlineMs);
      }
      await this.#pause(pauseMs);
    }
  }

  /** Takes no longer than the deadline, counting the way to a connection. */
  async #try<Row>(pool: Pool, { text, values, isSearch }: Statement, deadlineMs: number): Promise<readonly Row[]> {
    const leftMs = () => Math.max(LAST_TRY_MS, deadlineMs - this.nowMs());
    const { turn } = this.hosts;
    const client = await this.#checkOut(pool, leftMs()).catch((error: unknown) => {
      this.hosts.passOver(turn);
      throw error;
    });
    let failure: unknown;
    try {
      // The driver takes a time limit here; its types do not know.
      const query: QueryConfig & { query_timeout: number } = { text, values: [...values], query_timeout: leftMs() };
      return (await client.query(query)).rows as Row[];
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      const isUsable = failure === undefined || leavesUsable(failure);
      // A search without an answer says nothing of the way: the next one needs a new connection, and that does.
      if (!isUsable && !(isSearch && isOverdue(failure))) this.hosts.passOver(turn);
      client.release(!isUsable);
    }
  }

  /** A connection of the pool; one that comes too late goes back. */
  #checkOut(pool: Pool, withinMs: number): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const cancel = this.#options.runtime.timers.after(
        withinMs,
        () => {
          isLate = true;
          reject(noConnectionInTime());
        },
        true,
      );
      pool.connect().then(
        (client) => {
          cancel();
          if (isLate) client.release();
          else resolve(client);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }

  /** Ends what keeps others waiting and will never go on by itself. That this fails is told by the next try. */
  async #endStuck(pool: Pool, deadlineMs: number): Promise<void> {
    await this.#try(pool, { text: END_STUCK, values: [] }, deadlineMs).catch(() => {});
  }

  /** Between half and the whole of the time, so that what failed together does not come back together. */
  #pause(ms: number): Promise<void> {
    const { timers, chance } = this.#options.runtime;
    return new Promise((resolve) => {
      timers.after(ms * (0.5 + chance.fraction() / 2), resolve, true);
    });
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  #makePool(max: number, statementTimeoutMs: number): Pool {
    const { runtime } = this.#options;
    const limited = { ...this.#config(), statement_timeout: statementTimeoutMs };
    const config = { ...limited, hosts: this.hosts, max, allowExitOnIdle: true, runtime };
    const pool = new Pool({
      ...config,
      Client: PartingClient,
      ...(this.hosts.count > 1 ? { verify: verifyWritable } : {}),
    });
    // An idle connection that dies is replaced when one is needed.
    pool.on('error', () => {});
    return pool;
  }

  #pools(): Pool[] {
    return [...new Set([this.#pool, this.#searches])];
  }

  #config(): ClientConfig {
    const { queryTimeoutMs } = this.#options;
    return {
      application_name: APPLICATION_NAME,
      connectionTimeoutMillis: Math.ceil(queryTimeoutMs / 2),
      // A statement that nobody waits for any more does not go on for ever.
      query_timeout: queryTimeoutMs,
      statement_timeout: queryTimeoutMs,
      // Early enough that what is in the way can be ended before the caller has to be told.
      lock_timeout: Math.ceil(queryTimeoutMs / 2),
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      options: SESSION_SETTINGS,
      types: NUMBERS_AS_NUMBERS,
    };
  }
}

/** Of several servers the one that takes writes: from another one reads would be of yesterday. */
function verifyWritable(client: PoolClient, done: (error?: Error) => void): void {
  client
    .query('SELECT pg_is_in_recovery() AS "isCopy"')
    .then(({ rows }) => done((rows[0] as { isCopy: boolean }).isCopy ? noWritesHere() : undefined), done);
}

/** It waited for a lock, or was given up by its time limit, most likely for the same reason. */
function isBlocked({ details }: EventManagerError): boolean {
  return details['sqlState'] === '55P03' || details['sqlState'] === '57014';
}

export function closedError(): EventManagerError {
  return new EventManagerError('closed', 'The PostgreSQL adapter is not open.');
}

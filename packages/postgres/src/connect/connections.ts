import { EventManagerError, isEventManagerError, type Runtime } from '@event-manager/core';
import { Client, type ClientConfig, Pool, type QueryConfig, types } from 'pg';
import { Reach } from './reach.ts';
import { storeError } from './store-error.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly queryTimeoutMs: number;
  readonly runtime: Runtime;
}

export interface Answer<Row> {
  readonly rows: readonly Row[];
  /** 1 unless earlier tries failed; those may have had their effect all the same. */
  readonly tries: number;
}

const FIRST_PAUSE_MS = 25;
const PAUSE_MS_MAX = 500;
const INT8 = 20;
/** A last try gets so long, however little is left. */
const LAST_TRY_MS = 100;
/** Of all connections. */
const SEARCH_SHARE = 1 / 4;

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
  readonly #options: ConnectionOptions;
  readonly #pool: Pool;
  /** Searches take long: they leave the other connections to what may not wait for them. */
  readonly #searches: Pool;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  #isStopping = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.reach = new Reach(options.runtime.clock);
    const forSearches = Math.floor(options.maxConnections * SEARCH_SHARE);
    this.#pool = this.#makePool(options.maxConnections - forSearches);
    this.#searches = forSearches === 0 ? this.#pool : this.#makePool(forSearches);
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

  /** The same, telling how often it was tried. */
  async askCounted<Row>(text: string, values: readonly unknown[] = []): Promise<Answer<Row>> {
    const call = this.reach.began();
    try {
      return await this.#track(this.#repeat<Row>(this.#pool, text, values));
    } finally {
      this.reach.ended(call);
    }
  }

  /** Rows of a statement that may take long, on connections set apart for such. */
  async search<Row>(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#track(this.#repeat<Row>(this.#searches, text, values))).rows;
  }

  /** A connection beside the pool, not connected yet. Whoever asks for it ends it. */
  single(limits: { timeoutMs: number | undefined }): Client {
    return new Client({ ...this.#config(), query_timeout: limits.timeoutMs, statement_timeout: limits.timeoutMs ?? 0 });
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

  async #repeat<Row>(pool: Pool, text: string, values: readonly unknown[]): Promise<Answer<Row>> {
    const { clock } = this.#options.runtime;
    const deadlineMs = clock.monotonicMs() + this.#options.queryTimeoutMs;
    for (let tries = 1, pauseMs = FIRST_PAUSE_MS; ; tries++, pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs)) {
      try {
        const leftMs = Math.max(LAST_TRY_MS, deadlineMs - clock.monotonicMs());
        // The driver takes a time limit here; its types do not know.
        const query: QueryConfig & { query_timeout: number } = { text, values: [...values], query_timeout: leftMs };
        const { rows } = await pool.query(query);
        this.reach.succeeded();
        return { rows: rows as Row[], tries };
      } catch (error) {
        const known = storeError(error);
        this.reach.failed(known);
        // Who closes waits for what is under way, not for a server that may never come back.
        const isWorthTrying = isEventManagerError(known, 'store_unavailable') && !this.#isStopping;
        if (!isWorthTrying || clock.monotonicMs() + pauseMs >= deadlineMs) throw known;
      }
      await this.#pause(pauseMs);
    }
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

  #makePool(max: number): Pool {
    const pool = new Pool({ ...this.#config(), max, allowExitOnIdle: true });
    // An idle connection that dies is replaced when one is needed.
    pool.on('error', () => {});
    return pool;
  }

  #pools(): Pool[] {
    return [...new Set([this.#pool, this.#searches])];
  }

  #config(): ClientConfig {
    const { url, queryTimeoutMs } = this.#options;
    return {
      connectionString: url,
      application_name: 'event-manager',
      connectionTimeoutMillis: Math.ceil(queryTimeoutMs / 2),
      // A statement that nobody waits for any more does not go on for ever.
      statement_timeout: queryTimeoutMs,
      keepAlive: true,
      types: NUMBERS_AS_NUMBERS,
    };
  }
}

export function closedError(): EventManagerError {
  return new EventManagerError('closed', 'The PostgreSQL adapter is not open.');
}

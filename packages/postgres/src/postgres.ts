import {
  type AdapterHealth,
  type Announcer,
  createEventIdSource,
  type Departure,
  EventManagerError,
  type Extent,
  type MovableAdapter,
  type Restoration,
  type Runtime,
  refuseUnknownOptions,
  type Supports,
  systemRuntime,
} from '@event-manager/core';
import { type Client, escapeIdentifier } from 'pg';
import { Connections, closedError } from './connect/connections.ts';
import { HintAnnouncer } from './connect/hint-announcer.ts';
import { Listener } from './connect/listener.ts';
import { servingClient } from './connect/serving-client.ts';
import { storeError } from './connect/store-error.ts';
import { Letters } from './exchange/letters.ts';
import { AppendLoop } from './log/append-loop.ts';
import { EventLog } from './log/event-log.ts';
import { LogBranch } from './log/log-branch.ts';
import { restoreGap, restoreLog } from './log/restore-log.ts';
import { TrimLog } from './log/trim-log.ts';
import { MoveSession } from './move-session.ts';
import { checkServer } from './schema/check-server.ts';
import { hintsOf, isUpToDate, migrate } from './schema/migrate.ts';
import { CommitLoop } from './state/commit-loop.ts';
import { StateRecords } from './state/state-records.ts';

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`. */
  readonly url: string;
  /** Connections of this process at once; 20 when absent. One more waits for hints. */
  readonly maxConnections?: number;
  /** How long a call may take, tries after failures that pass included; 5 000 when absent. */
  readonly queryTimeoutMs?: number;
  /** Where the tables are; made when it is not there. `public` when absent. */
  readonly schema?: string;
  /** `relaxed` takes a server that answers before a commit is on its disk; `synced`, the default, refuses it. */
  readonly durability?: 'synced' | 'relaxed';
  readonly runtime?: Runtime;
}

/** Complete by its type: an option that is missing here does not compile. */
const OPTION_NAMES: { readonly [Name in keyof Required<PostgresOptions>]: true } = {
  url: true,
  maxConnections: true,
  queryTimeoutMs: true,
  schema: true,
  durability: true,
  runtime: true,
};

const MAX_CONNECTIONS_DEFAULT = 20;
const QUERY_TIMEOUT_MS_DEFAULT = 5_000;
/** Names that need no quoting anywhere, and fit into the names derived from them. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,39}$/;

/** Keeps events and state in a PostgreSQL database that several processes share. See the README of this package. */
export function postgres(options: PostgresOptions): MovableAdapter {
  // JavaScript may give nothing: then it is told what is needed.
  return new Postgres(options ?? ({} as PostgresOptions));
}

class Postgres implements MovableAdapter {
  readonly name = 'postgres';
  readonly supports: Supports;
  readonly store = new EventLog();
  readonly state = new StateRecords();
  readonly exchange: Letters;
  readonly #schema: string;
  readonly #durability: 'synced' | 'relaxed';
  readonly #runtime: Runtime;
  readonly #connections: Connections;
  readonly #listener: Listener;
  /** Of this process alone: names its commits, and its announcements to itself. */
  readonly #id: string;
  #announcer: Announcer | undefined;
  #storeId: string | undefined;
  /** While the store is being left or filled. */
  #session: MoveSession | undefined;

  constructor(options: PostgresOptions) {
    refuseUnknownOptions(options, Object.keys(OPTION_NAMES), 'postgres');
    const { url, runtime = systemRuntime, schema = 'public', durability = 'synced' } = options;
    if (typeof url !== 'string' || url === '') throw new TypeError('postgres needs a url.');
    if (!SCHEMA_NAME.test(schema)) throw new TypeError(`schema must match ${SCHEMA_NAME.source}.`);
    const maxConnections = positive(options.maxConnections ?? MAX_CONNECTIONS_DEFAULT, 'maxConnections');
    const queryTimeoutMs = positive(options.queryTimeoutMs ?? QUERY_TIMEOUT_MS_DEFAULT, 'queryTimeoutMs');
    this.supports = Object.freeze({
      totalOrder: true,
      dedup: 'window',
      query: 'index',
      shared: true,
      trim: true,
      durability,
    });
    this.#schema = schema;
    this.#durability = durability;
    this.#runtime = runtime;
    this.#id = createEventIdSource(runtime)();
    this.#connections = new Connections({ url, maxConnections, queryTimeoutMs, runtime });
    this.#listener = new Listener(this.#connections, runtime, { hints: hintsOf(schema), self: this.#id });
    this.exchange = new Letters({ listener: this.#listener, prefix: hintsOf(schema), runtime });
  }

  async open(): Promise<void> {
    await this.#opening(async () => {
      await this.#prepare();
      await this.#connections.ask(`SELECT ${escapeIdentifier(this.#schema)}.assert_in_use(NULL)`);
      await this.#serve();
    });
  }

  async openToLeave(): Promise<Departure> {
    const session = await this.#openSession(async (_client, moves) => {
      await moves.assertThere();
      // A log that is to branch cannot while it is held.
      await new LogBranch(this.#connections, escapeIdentifier(this.#schema)).follow();
      await moves.leave();
    });
    return { complete: () => told(session.markMoved()) };
  }

  async openToRestore(extent: Extent): Promise<Restoration> {
    const session = await this.#openSession(async (client, moves) => {
      await migrate(client, this.#schema);
      await moves.beginRestore(this.#id, extent);
    });
    return {
      write: (events) => restoreLog(this.store.opened!.core, events),
      skip: (unused) => restoreGap(this.store.opened!.core, unused),
      complete: () => told(session.completeRestore(this.#id, extent)),
    };
  }

  async stay(): Promise<void> {
    await this.#openSession(async (_client, moves) => {
      await moves.assertThere();
      await moves.stay();
    });
    await this.close();
  }

  async close(): Promise<void> {
    const log = this.store.opened;
    const state = this.state.opened;
    this.store.opened = undefined;
    this.state.opened = undefined;
    this.#connections.stopTrying();
    await this.exchange.close();
    await this.#listener.close();
    await log?.appends.close();
    await log?.trims.close();
    await state?.commits.close();
    await this.#session?.close();
    await this.#connections.close();
  }

  health(): AdapterHealth {
    const { facts, reach } = this.#connections;
    const lastError = reach.lastError === undefined ? {} : { lastError: reach.lastError.code };
    const lost = this.store.opened?.core.branch.lost ?? [];
    return {
      ...(reach.trouble() ?? { status: 'ok' }),
      facts: { durability: this.#durability, ...facts, listening: this.#listener.isListening, ...lastError },
      errors: reach.errors,
      ...(lost.length === 0 ? {} : { lost }),
    };
  }

  announceBy(announcer: Announcer): void {
    this.#announcer = announcer;
  }

  storeId(): string {
    if (this.#storeId === undefined) throw closedError();
    return this.#storeId;
  }

  watch(onHint: () => void): () => void {
    return this.#listener.watch(onHint);
  }

  async #opening<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.#session?.close();
      await this.#connections.close();
      throw storeError(error);
    }
  }

  async #serve(): Promise<void> {
    const schema = escapeIdentifier(this.#schema);
    const own = new HintAnnouncer(this.#connections, { hints: hintsOf(this.#schema), self: this.#id });
    const announcer = {
      announce: () => (this.#announcer?.isHeardByAll() === true ? this.#announcer : own).announce(),
    };
    const shared = { connections: this.#connections, schema, self: this.#id, announcer };
    await this.#connections.ask(`SELECT ${schema}.forget_the_gone()`);
    const [identity] = await this.#connections.ask<{ id: string }>(`SELECT id FROM ${schema}.store_identity`);
    this.#storeId = identity!.id;
    const branch = new LogBranch(this.#connections, schema);
    await branch.follow();
    const log = { ...shared, runtime: this.#runtime, branch };
    this.store.opened = { core: log, appends: new AppendLoop(log), trims: new TrimLog(log) };
    this.state.opened = { core: shared, commits: new CommitLoop(shared, this.#id) };
  }

  /** A migration takes as long as it takes, and so does waiting for another's; all other questions have their time. */
  async #prepare(): Promise<void> {
    const timeoutMs = this.#connections.queryTimeoutMs;
    const isMade = await this.#onConnection({ timeoutMs }, async (client) => {
      await checkServer(client, this.#durability);
      return isUpToDate(client, this.#schema);
    });
    if (!isMade) await this.#onConnection({ timeoutMs: undefined }, (client) => migrate(client, this.#schema));
  }

  async #onConnection<T>(limits: { timeoutMs: number | undefined }, ask: (client: Client) => Promise<T>): Promise<T> {
    const { client, answer } = await servingClient(this.#connections, limits, ask);
    await client.end().catch(() => {});
    return answer;
  }

  /** Opens for a move; the session lives until `close`. */
  async #openSession(begin: (client: Client, session: MoveSession) => Promise<void>): Promise<MoveSession> {
    return this.#opening(async () => {
      const check = (client: Client) => checkServer(client, this.#durability);
      const { client } = await servingClient(this.#connections, { timeoutMs: undefined }, check);
      const session = new MoveSession(client, this.#schema);
      this.#session = session;
      await begin(client, session);
      await this.#serve();
      return session;
    });
  }
}

async function told(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw storeError(error);
  }
}

function positive(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new EventManagerError('invalid_setting', `${name} must be a whole number above 0, not ${value}.`);
}

import {
  type AdapterHealth,
  type Announcer,
  createEventIdSource,
  type EventBusAdapter,
  EventManagerError,
  type Runtime,
  refuseUnknownOptions,
  type Supports,
  systemRuntime,
} from '@event-manager/core';
import { type Client, escapeIdentifier } from 'pg';
import { Connections } from './connect/connections.ts';
import { Listener } from './connect/listener.ts';
import { storeError } from './connect/store-error.ts';
import { AppendLoop } from './log/append-loop.ts';
import { EventLog } from './log/event-log.ts';
import { measureLog } from './log/measure-log.ts';
import { TrimLog } from './log/trim-log.ts';
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
export function postgres(options: PostgresOptions): EventBusAdapter {
  // JavaScript may give nothing: then it is told what is needed.
  return new Postgres(options ?? ({} as PostgresOptions));
}

class Postgres implements EventBusAdapter {
  readonly name = 'postgres';
  readonly supports: Supports;
  readonly store = new EventLog();
  readonly state = new StateRecords();
  readonly #schema: string;
  readonly #durability: 'synced' | 'relaxed';
  readonly #runtime: Runtime;
  readonly #connections: Connections;
  readonly #listener: Listener;
  /** Of this process alone: names its commits, and its announcements to itself. */
  readonly #id: string;
  #announcer: Announcer | undefined;

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
  }

  async open(): Promise<void> {
    try {
      await this.#prepare();
      const schema = escapeIdentifier(this.#schema);
      const shared = { connections: this.#connections, schema, self: this.#id, announcer: this.#announcer };
      const log = { ...shared, runtime: this.#runtime };
      await this.#connections.ask(`SELECT ${shared.schema}.forget_the_gone()`);
      const [bounds] = await measureLog(log);
      this.store.opened = { core: log, appends: new AppendLoop(log, bounds!.head), trims: new TrimLog(log) };
      this.state.opened = { core: shared, commits: new CommitLoop(shared, this.#id) };
    } catch (error) {
      await this.#connections.close();
      throw storeError(error);
    }
  }

  async close(): Promise<void> {
    const log = this.store.opened;
    const state = this.state.opened;
    this.store.opened = undefined;
    this.state.opened = undefined;
    this.#connections.stopTrying();
    await this.#listener.close();
    await log?.appends.close();
    await log?.trims.close();
    await state?.commits.close();
    await this.#connections.close();
  }

  health(): AdapterHealth {
    const { facts, reach } = this.#connections;
    const lastError = reach.lastError === undefined ? {} : { lastError: reach.lastError.code };
    return {
      ...(reach.trouble() ?? { status: 'ok' }),
      facts: { durability: this.#durability, ...facts, listening: this.#listener.isListening, ...lastError },
      errors: reach.errors,
    };
  }

  /** An announcement in a transaction makes every other one that announces wait until it is on the disk. */
  announceBy(announcer: Announcer): void {
    this.#announcer = announcer;
  }

  watch(onHint: () => void): () => void {
    return this.#listener.watch(onHint);
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
    const client = this.#connections.single(limits);
    try {
      await client.connect();
      return await ask(client);
    } finally {
      await client.end().catch(() => {});
    }
  }
}

function positive(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new EventManagerError('invalid_setting', `${name} must be a whole number above 0, not ${value}.`);
}

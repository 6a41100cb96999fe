import {
  type AdapterHealth,
  createEventIdSource,
  type EventBusAdapter,
  EventManagerError,
  type RetentionOptions,
  type Supports,
} from '@event-manager/core';
import { Changes } from './connect/changes.ts';
import { type AskOnce, Connection, closedError } from './connect/connection.ts';
import { Link } from './connect/link.ts';
import { readServer, type ServerFacts } from './connect/read-server.ts';
import type { RedisClient } from './connect/redis-client.ts';
import { StoreConnection } from './connect/store-connection.ts';
import { BesideExchange } from './exchange/beside-exchange.ts';
import type { Said } from './exchange/envelope.ts';
import { StorePlaces } from './exchange/store-places.ts';
import { AppendLoop } from './log/append-loop.ts';
import { EventLog } from './log/event-log.ts';
import { LogBranch } from './log/log-branch.ts';
import { TrimLog } from './log/trim-log.ts';
import { FORGET_THE_GONE } from './lua/commit-state.ts';
import { FORMAT, MAKE_STORE } from './lua/make-store.ts';
import { PROVE_RIGHTS } from './lua/prove-rights.ts';
import { type RedisOptions, type RedisSettings, readOptions } from './read-options.ts';
import { CommitLoop } from './state/commit-loop.ts';
import { StateRecords } from './state/state-records.ts';

const SUPPORTS: { readonly [Durability in 'synced' | 'relaxed']: Supports } = {
  synced: supportsWith('synced'),
  relaxed: supportsWith('relaxed'),
};

/** Said and not refused: many providers let nobody see them. */
const SETTINGS_HIDDEN =
  'The settings of Redis could not be read: maxmemory-policy must be noeviction, and durability counts as relaxed.';
const NOT_SYNCED =
  'Redis answers before a write is on its disk; synced asks for appendonly yes, appendfsync always and no-appendfsync-on-rewrite no';
/** Who sets the server otherwise while it runs is noticed after so long at most. */
const LOOK_AGAIN_MS = 5_000;
/** What processes left behind that were last heard of so long ago is removed. */
const GONE_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * Keeps events and state in a Redis that several processes share, and carries hints and letters between them: the whole bus. See the
 * README of this package.
 */
export class RedisAdapter implements EventBusAdapter {
  readonly name = 'redis';
  readonly store = new EventLog();
  readonly state = new StateRecords();
  readonly exchange: BesideExchange;
  readonly retention?: RetentionOptions;
  readonly #settings: RedisSettings;
  readonly #connection: Connection;
  readonly #link: Link;
  readonly #places: StorePlaces;
  readonly #changes: Changes;
  readonly #branch = new LogBranch();
  readonly #watchers = new Set<() => void>();
  /** Of this process alone: names its commits, and its words to itself. */
  readonly #life: string;
  #server: ServerFacts | undefined;
  #storeId: string | undefined;
  #opening: Promise<void> | undefined;
  #cancelLook: () => void = () => {};

  constructor(options: RedisOptions = {}) {
    const settings = readOptions(options);
    const { address, keyPrefix, commandTimeoutMs, runtime } = settings;
    this.#settings = settings;
    if (settings.retention !== undefined) this.retention = settings.retention;
    this.#life = createEventIdSource(runtime)();
    this.#connection = new Connection({
      ...{ address, keyPrefix, commandTimeoutMs, runtime },
      introduce: (client, ask) => this.#introduce(client, ask),
    });
    const places = new StorePlaces(keyPrefix);
    this.#places = places;
    this.#link = new Link({
      address,
      runtime,
      beat: () => ({ place: places.all, text: this.exchange.beat() }),
      onChange: () => this.#linkChanged(),
    });
    const life = this.#life;
    this.exchange = new BesideExchange({
      ...{ link: this.#link, other: undefined, life, places, runtime, onChanged: () => this.#hint() },
    });
    const changed = JSON.stringify(['changed', life] satisfies Said);
    this.#changes = new Changes(this.#link, () => ({ place: places.all, text: changed }));
  }

  /** What was asked for until the server was seen, and then what that server does. */
  get supports(): Supports {
    const { durability } = this.#settings;
    return SUPPORTS[durability ?? this.#server?.durability ?? 'relaxed'];
  }

  /** The same as `open`, for programs that begin with it: whoever opens the adapter afterwards finds it open. */
  initialize(): Promise<void> {
    return this.open();
  }

  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async close(): Promise<void> {
    const log = this.store.opened;
    const state = this.state.opened;
    this.store.opened = undefined;
    this.state.opened = undefined;
    this.#cancelLook();
    this.#connection.stopTrying();
    await log?.appends.close();
    await log?.trims.close();
    await state?.commits.close();
    await this.#connection.close();
    await this.#link.said();
    this.#watchers.clear();
    this.#link.close();
  }

  health(): AdapterHealth {
    const { reach, losses } = this.#connection;
    const { state: link } = this.#link;
    const { lost } = this.#branch;
    const lastError = reach.lastError === undefined ? {} : { lastError: reach.lastError.code };
    return {
      ...(reach.trouble() ?? { status: 'ok' }),
      facts: {
        durability: this.supports.durability,
        losses,
        listening: link.isUp,
        branch: this.#branch.number,
        ...lastError,
      },
      errors: reach.errors,
      ...(lost.length === 0 ? {} : { lost }),
      ...(this.#server?.settings === 'hidden' ? { warnings: [SETTINGS_HIDDEN] } : {}),
    };
  }

  storeId(): string {
    if (this.#storeId === undefined) throw closedError();
    return this.#storeId;
  }

  watch(onHint: () => void): () => void {
    const watcher = () => onHint();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async #open(): Promise<void> {
    try {
      await this.#connection.connect();
      const connection = new StoreConnection(this.#connection, () => this.storeId());
      await connection.ask(FORGET_THE_GONE, GONE_AFTER_MS);
      this.#places.belongTo(this.storeId());
      void this.#link.hear(this.#places.all, (text) => this.exchange.heard(text));
      await this.#link.start();
      const shared = { connection, announcer: this.#changes };
      const log = { ...shared, runtime: this.#settings.runtime, branch: this.#branch };
      const state = { ...shared, self: this.#life };
      this.store.opened = { core: log, appends: new AppendLoop(log), trims: new TrimLog(log) };
      this.state.opened = { core: state, commits: new CommitLoop(state) };
      this.store.opened.trims.clean();
      this.#lookAgainSoon();
    } catch (error) {
      this.#link.close();
      await this.#connection.close();
      throw error;
    }
  }

  #lookAgainSoon(): void {
    this.#cancelLook = this.#settings.runtime.timers.after(LOOK_AGAIN_MS, () => {
      void this.#connection.lookAgain().then(() => {
        if (this.store.opened !== undefined) this.#lookAgainSoon();
      });
    });
  }

  /** On each new connection, and from time to time: what server is there, and is it still the log that it was. */
  async #introduce(client: RedisClient, ask: AskOnce): Promise<void> {
    const server = await readServer(client);
    // What was promised once holds: a server that does less is no place for what is acknowledged from now on.
    const promised = this.#settings.durability ?? this.#server?.durability;
    if (promised === 'synced' && server.durability !== 'synced') {
      throw new EventManagerError('invalid_setting', `${NOT_SYNCED}.`, { setting: 'durability' });
    }
    if (this.#storeId === undefined) await proveRights(ask);
    const storeId = this.#storeId ?? (await this.#makeStore(ask, server));
    await this.#branch.follow((script, ...values) => ask(script, [storeId, ...values]), server);
    this.#storeId = storeId;
    this.#server = { ...server, durability: promised ?? server.durability };
  }

  /** The id of the store that is there, or of a new one. */
  async #makeStore(ask: AskOnce, { life }: ServerFacts): Promise<string> {
    const id = createEventIdSource(this.#settings.runtime)();
    const [kept, format] = (await ask(MAKE_STORE, [id, FORMAT, life])) as readonly (Buffer | null)[];
    if (String(format) !== String(FORMAT)) {
      const words =
        'What Redis keeps under this prefix was written by another version or another program, or is what is left of a store.';
      throw new EventManagerError('unsupported_format', words);
    }
    return String(kept);
  }

  #linkChanged(): void {
    this.exchange.changed();
    // What was announced while this process could not hear it is lost.
    this.#hint();
  }

  #hint(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

async function proveRights(ask: AskOnce): Promise<void> {
  const refused = (await ask(PROVE_RIGHTS, [])) as readonly Buffer[];
  if (refused.length === 0) return;
  const words = `Redis does not let this user run ${refused.join(', ')}.`;
  throw new EventManagerError('invalid_setting', words, { setting: 'url', redisCode: 'NOPERM' });
}

function supportsWith(durability: 'synced' | 'relaxed'): Supports {
  return Object.freeze({
    ...({ totalOrder: true, dedup: 'window', query: 'scan', shared: true, trim: true } as const),
    durability,
  });
}

import {
  type AdapterHealth,
  createEventIdSource,
  type Departure,
  EventManagerError,
  type Extent,
  type MovableAdapter,
  type Restoration,
  type RetentionOptions,
  type Supports,
} from '@event-manager/core';
import { Changes } from './connect/changes.ts';
import { type AskOnce, Connection, closedError } from './connect/connection.ts';
import { Link } from './connect/link.ts';
import { readServer, type ServerFacts } from './connect/read-server.ts';
import type { RedisClient } from './connect/redis-client.ts';
import { StoreConnection } from './connect/store-connection.ts';
import { type Entrance, orMake, thatIsInUse, thatIsThere, toRestore } from './enter-store.ts';
import { BesideExchange } from './exchange/beside-exchange.ts';
import type { Said } from './exchange/envelope.ts';
import { StorePlaces } from './exchange/store-places.ts';
import { AppendLoop } from './log/append-loop.ts';
import { EventLog } from './log/event-log.ts';
import { followBranch } from './log/follow-branch.ts';
import { LogBranch } from './log/log-branch.ts';
import type { LogCore } from './log/log-core.ts';
import { TrimLog } from './log/trim-log.ts';
import { FORGET_THE_GONE, LEFT_BEHIND } from './lua/commit-state.ts';
import { STAY } from './lua/moves.ts';
import { PROVE_RIGHTS } from './lua/prove-rights.ts';
import { Hold } from './move/hold.ts';
import { restoreStore } from './move/restore-store.ts';
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
export class RedisAdapter implements MovableAdapter {
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
  #entrance: Entrance | undefined;
  #hold: Hold | undefined;
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

  openToLeave(): Promise<Departure> {
    return this.#opened(async () => {
      const connection = await this.#enter(thatIsInUse);
      const hold = new Hold(connection, this.#life, this.#settings.runtime);
      this.#hold = hold;
      await hold.begin();
      this.#serve(connection);
      return { complete: () => hold.markMoved() };
    });
  }

  openToRestore(extent: Extent): Promise<Restoration> {
    return this.#opened(async () => {
      const connection = await this.#enter(toRestore(createEventIdSource(this.#settings.runtime)(), extent));
      const restoration = await restoreStore(connection, extent);
      await followBranch(this.#serve(connection));
      return restoration;
    });
  }

  async stay(): Promise<void> {
    await this.#opened(async () => {
      const connection = await this.#enter(thatIsThere);
      await connection.ask(STAY);
    });
    await this.close();
  }

  async close(): Promise<void> {
    this.#connection.stopTrying();
    // Opened behind this it would stay open.
    await this.#opening?.catch(() => {});
    const log = this.store.opened;
    const state = this.state.opened;
    this.store.opened = undefined;
    this.state.opened = undefined;
    this.#cancelLook();
    await log?.appends.close();
    await log?.trims.close();
    await state?.commits.close();
    await this.#hold?.end();
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

  #open(): Promise<void> {
    return this.#opened(async () => {
      const connection = await this.#enter(orMake(createEventIdSource(this.#settings.runtime)()));
      await forgetTheGone(connection);
      void this.#link.hear(this.#places.all, (text) => this.exchange.heard(text));
      await this.#link.start();
      this.#serve(connection);
      this.store.opened?.trims.clean();
      this.#lookAgainSoon();
    });
  }

  async #opened<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#link.close();
      await this.#hold?.end();
      await this.#connection.close();
      throw error;
    }
  }

  async #enter(entrance: Entrance): Promise<StoreConnection> {
    this.#entrance = entrance;
    await this.#connection.connect();
    this.#places.belongTo(this.storeId());
    return new StoreConnection(this.#connection, () => this.storeId());
  }

  #serve(connection: StoreConnection): LogCore {
    const shared = { connection, announcer: this.#changes };
    const log = { ...shared, runtime: this.#settings.runtime, branch: this.#branch };
    this.store.opened = { core: log, appends: new AppendLoop(log), trims: new TrimLog(log) };
    const state = { ...shared, self: this.#life };
    this.state.opened = { core: state, commits: new CommitLoop(state) };
    return log;
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
    const storeId = this.#storeId ?? (await this.#entrance!(ask, server));
    await this.#branch.follow((script, ...values) => ask(script, [storeId, ...values]), server);
    this.#storeId = storeId;
    this.#server = { ...server, durability: promised ?? server.durability };
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

async function forgetTheGone(connection: StoreConnection): Promise<void> {
  for (const name of LEFT_BEHIND) {
    let cursor = '0';
    do cursor = String(await connection.ask(FORGET_THE_GONE, GONE_AFTER_MS, name, cursor));
    while (cursor !== '0');
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

import {
  type AdapterHealth,
  createEventIdSource,
  type EventBusAdapter,
  EventManagerError,
  type EventStore,
  type Exchange,
  type Runtime,
  refuseUnknownOptions,
  type StateStore,
  type Supports,
  systemRuntime,
} from '@event-manager/core';
import { Link } from './connect/link.ts';
import { readUrl } from './connect/read-url.ts';
import { BesideExchange } from './exchange/beside-exchange.ts';
import type { Said } from './exchange/envelope.ts';
import { StorePlaces } from './exchange/store-places.ts';
import { assertKeyPrefix, KEY_PREFIX_DEFAULT } from './read-options.ts';

export interface RedisBesideOptions {
  /** `redis://user:password@host:port/database`, or `rediss://` for TLS. */
  readonly url: string;
  /**
   * What every name in Redis begins with, before the id of the store; processes that share a store give the same.
   * `dadms:events:` when absent.
   */
  readonly keyPrefix?: string;
  readonly runtime?: Runtime;
}

/** Complete by its type: an option that is missing here does not compile. */
const OPTION_NAMES: { readonly [Name in keyof Required<RedisBesideOptions>]: true } = {
  url: true,
  keyPrefix: true,
  runtime: true,
};

/** Said and not refused: many providers let nobody see it. */
const POLICY_HIDDEN = 'The maxmemory-policy of Redis could not be read; it must be noeviction.';
/** By then everybody has heard that a process left Redis. */
const HEARD_OF_MS = 1_000;

/** Keeps everything where the adapter does, and carries hints and letters between its processes by Redis. */
export function redisBeside(adapter: EventBusAdapter, options: RedisBesideOptions): EventBusAdapter {
  // JavaScript may give nothing: then it is told what is needed.
  return new RedisBeside(adapter, options ?? ({} as RedisBesideOptions));
}

class RedisBeside implements EventBusAdapter {
  readonly name: string;
  readonly supports: Supports;
  readonly store: EventStore;
  readonly state: StateStore;
  readonly exchange: Exchange;
  readonly #adapter: EventBusAdapter;
  readonly #runtime: Runtime;
  readonly #link: Link;
  readonly #letters: BesideExchange;
  readonly #watchers = new Set<() => void>();
  readonly #places: StorePlaces;
  readonly #changed: string;
  #isAnnouncing = false;
  #isAnnouncedAgain = false;

  constructor(adapter: EventBusAdapter, options: RedisBesideOptions) {
    refuseUnknownOptions(options, Object.keys(OPTION_NAMES), 'redisBeside');
    const { url, keyPrefix = KEY_PREFIX_DEFAULT, runtime = systemRuntime } = options;
    if (typeof url !== 'string') throw new TypeError('redisBeside needs a url.');
    assertKeyPrefix(keyPrefix);
    assertShared(adapter);
    this.name = `${adapter.name}+redis`;
    this.supports = adapter.supports;
    this.store = adapter.store;
    this.state = adapter.state;
    this.#adapter = adapter;
    this.#runtime = runtime;
    const life = createEventIdSource(runtime)();
    const places = new StorePlaces(keyPrefix);
    this.#places = places;
    this.#changed = JSON.stringify(['changed', life] satisfies Said);
    this.#link = new Link({
      address: readUrl(url),
      runtime,
      beat: () => ({ place: places.all, text: this.#letters.beat() }),
      onChange: () => this.#linkChanged(),
    });
    const onChanged = () => this.#hint();
    this.#letters = new BesideExchange({
      ...{ link: this.#link, other: adapter.exchange, life, places, runtime, onChanged },
    });
    this.exchange = this.#letters;
  }

  async open(): Promise<void> {
    this.#adapter.announceBy?.({
      isHeardByAll: () => this.#letters.reachesAllAtRedis,
      announce: () => this.#announce(),
    });
    await this.#adapter.open();
    try {
      this.#places.belongTo(this.#adapter.storeId!());
      void this.#link.hear(this.#places.all, (text) => this.#letters.heard(text));
      await this.#link.start();
    } catch (error) {
      await this.#adapter.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    // First what still wants to be announced, then the way of it.
    await this.#adapter.close();
    await this.#link.said();
    this.#watchers.clear();
    this.#link.close();
  }

  health(): AdapterHealth {
    const health = this.#adapter.health();
    const { state, losses } = this.#link;
    const facts = { ...health.facts, redis: state.isUp ? 'up' : 'away', redisSince: state.since, redisLosses: losses };
    if (!state.isUp) {
      return { ...health, facts, impairment: { what: 'redis', reason: state.reason, since: state.since } };
    }
    return { ...health, facts, ...(state.policy === 'hidden' ? { warnings: [POLICY_HIDDEN] } : {}) };
  }

  storeId(): string {
    return this.#adapter.storeId!();
  }

  watch(onHint: () => void): () => void {
    const watcher = () => onHint();
    this.#watchers.add(watcher);
    const unwatch = this.#adapter.watch(onHint);
    return () => {
      this.#watchers.delete(watcher);
      unwatch();
    };
  }

  /** At most one is under way: what changes meanwhile is announced by the one behind it. */
  #announce(): void {
    this.#isAnnouncedAgain = true;
    if (!this.#isAnnouncing) void this.#announceAll();
  }

  async #announceAll(): Promise<void> {
    this.#isAnnouncing = true;
    while (this.#isAnnouncedAgain) {
      this.#isAnnouncedAgain = false;
      const said = this.#link.say(this.#places.all, this.#changed);
      // Since the change began, Redis was lost here or by somebody else.
      if (said === undefined || !this.#letters.reachesAllAtRedis) this.#letters.tellChanged();
      await said;
    }
    this.#isAnnouncing = false;
  }

  #linkChanged(): void {
    this.#letters.changed();
    // What was announced while this process could not hear it is lost.
    this.#hint();
    // So is what others announce until they have heard that it left.
    if (!this.#link.state.isUp) this.#runtime.timers.after(HEARD_OF_MS, () => this.#hint());
  }

  #hint(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function assertShared({ name, supports, storeId }: EventBusAdapter): void {
  if (!supports.shared) {
    throw new EventManagerError('not_supported', `Nobody shares the adapter ${name}: Redis would have no use.`);
  }
  if (storeId === undefined) {
    throw new EventManagerError('not_supported', `The adapter ${name} does not tell its store from others.`);
  }
}

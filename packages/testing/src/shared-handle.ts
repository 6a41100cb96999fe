import {
  type AdapterHealth,
  type EventBusAdapter,
  EventManagerError,
  type EventStore,
  type Exchange,
  type JsonValue,
  LETTER_BYTES_MAX,
  type StateStore,
  type Supports,
  type Timers,
} from '@event-manager/core';
import type { SimulatedShared } from './simulated-shared-adapter.ts';

const SUPPORTS: Supports = Object.freeze({
  totalOrder: true,
  dedup: 'window',
  query: 'scan',
  shared: true,
  trim: true,
  durability: 'synced',
});

/** A call on its way to the world. After a crash of its caller it may still arrive: then it acts for a dead process. */
interface Travelling {
  isDropped: boolean;
}

/**
 * The adapter of one simulated process.
 *
 * States: `new → open → closing → closed`, and from any of them `crashed`. Only `open` takes calls; `closing` waits for those
 * under way; `crashed` answers nothing any more, and of its calls that had not arrived chance lets some arrive late.
 */
export class SharedHandle implements EventBusAdapter {
  readonly name = 'simulated-shared';
  readonly supports = SUPPORTS;
  readonly store: EventStore;
  readonly state: StateStore;
  readonly exchange: Exchange;
  readonly timers: Timers;

  readonly #world: SimulatedShared;
  readonly #watchers = new Set<() => void>();
  readonly #travelling = new Set<Travelling>();
  readonly #underWay = new Set<Promise<unknown>>();
  #phase: 'new' | 'open' | 'closing' | 'closed' | 'crashed' = 'new';
  #lastChangeArrivesAtMs = 0;
  #receiving: { readonly self: string; readonly onLetter: Parameters<Exchange['receive']>[1] } | undefined;

  constructor(world: SimulatedShared, timers: Timers) {
    this.#world = world;
    this.timers = timers;
    this.store = this.#eventStore();
    this.state = this.#stateStore();
    this.exchange = this.#letters();
  }

  async open(): Promise<void> {
    this.#phase = 'open';
    await this.#ask(async () => {});
  }

  async close(): Promise<void> {
    if (this.#phase === 'crashed') return new Promise(() => {});
    this.#phase = 'closing';
    await Promise.allSettled(this.#underWay);
    this.#phase = 'closed';
    this.#world.disconnect(this);
  }

  /** The process dies, without a goodbye. */
  crash(): void {
    this.#phase = 'crashed';
    this.#watchers.clear();
    this.#world.disconnect(this);
    for (const call of this.#travelling) call.isDropped = this.#world.chance.happens(0.5);
  }

  health(): AdapterHealth {
    return { status: 'ok', facts: { simulated: true } };
  }

  watch(onHint: () => void): () => void {
    this.#watchers.add(onHint);
    return () => this.#watchers.delete(onHint);
  }

  /** Called by the world when somebody else changed something. */
  hint(): void {
    if (this.#phase !== 'open') return;
    for (const onHint of [...this.#watchers]) onHint();
  }

  /** The name under which this process receives letters. */
  get receiver(): string | undefined {
    return this.#receiving?.self;
  }

  /** Called by the world when a letter arrives. */
  letter(text: string, from: string): void {
    if (this.#phase === 'open') this.#receiving?.onLetter(JSON.parse(text) as JsonValue, from);
  }

  #letters(): Exchange {
    return {
      send: (letter, to) => {
        const text = JSON.stringify(letter);
        if (Buffer.byteLength(text) > LETTER_BYTES_MAX) throw new TypeError('A letter takes at most 64 KiB.');
        if (this.#phase === 'open' && this.#receiving) this.#world.carry(this.#receiving.self, text, to);
      },
      receive: (self, onLetter) => {
        if (this.#receiving) throw new TypeError('Letters are received once.');
        this.#receiving = { self, onLetter };
        return () => {
          this.#receiving = undefined;
        };
      },
    };
  }

  #eventStore(): EventStore {
    const { store } = this.#world.kept;
    return {
      append: (events) => {
        const given = [...events];
        return this.#change(() => store.append(given), 'announced');
      },
      trim: (upTo) => this.#change(() => store.trim(upTo)),
      read: (partition, after, options) => this.#ask(() => store.read(partition, after, options)),
      get: (refs) => this.#ask(() => store.get(refs)),
      find: (query, options) => this.#ask(() => store.find(query, options)),
      bounds: () => this.#ask(() => store.bounds()),
    };
  }

  #stateStore(): StateStore {
    const { state } = this.#world.kept;
    return {
      commit: (changes) => {
        // The call travels; its caller may go on with the values meanwhile.
        const given = structuredClone(changes);
        return this.#change(() => state.commit(given), 'announced');
      },
      acquire: (resources, options) => this.#change(() => state.acquire(resources, options)),
      holders: (resources) => this.#ask(() => state.holders(resources)),
      renew: (leases, options) => this.#change(() => state.renew(leases, options)),
      release: (leases) => this.#change(() => state.release(leases)),
      load: (kind, options) => this.#ask(() => state.load(kind, options)),
      get: (kind, keys) => this.#ask(() => state.get(kind, keys)),
    };
  }

  #ask<T>(effect: () => Promise<T>): Promise<T> {
    return this.#call(this.#world.travelMs(), effect);
  }

  /** Like `#ask`, but never overtakes an earlier change of this handle. */
  #change<T>(effect: () => Promise<T>, hearsay: 'announced' | 'silent' = 'silent'): Promise<T> {
    const nowMs = this.#world.time.monotonicMs();
    const arrivesAtMs = Math.max(this.#lastChangeArrivesAtMs, nowMs + this.#world.travelMs());
    this.#lastChangeArrivesAtMs = arrivesAtMs;
    return this.#call(arrivesAtMs - nowMs, async () => {
      const result = await effect();
      if (hearsay === 'announced') this.#world.announce(this);
      return result;
    });
  }

  #call<T>(travelMs: number, effect: () => Promise<T>): Promise<T> {
    if (this.#phase === 'crashed') return new Promise(() => {});
    if (this.#phase !== 'open') {
      return Promise.reject(new EventManagerError('closed', 'The simulated adapter is not open.'));
    }
    const answer = this.#travel(travelMs, effect);
    this.#underWay.add(answer);
    const forget = () => this.#underWay.delete(answer);
    answer.then(forget, forget);
    return answer;
  }

  #travel<T>(travelMs: number, effect: () => Promise<T>): Promise<T> {
    const call: Travelling = { isDropped: false };
    this.#travelling.add(call);
    return new Promise((resolve, reject) => {
      this.#world.time.after(travelMs, () => {
        this.#travelling.delete(call);
        if (call.isDropped) return;
        effect().then(
          (result) => this.#answer(() => resolve(result)),
          (error: unknown) => this.#answer(() => reject(error)),
        );
      });
    });
  }

  #answer(deliver: () => void): void {
    this.timers.after(this.#world.travelMs(), () => {
      if (this.#phase !== 'crashed') deliver();
    });
  }
}

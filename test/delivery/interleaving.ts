import type { EventBusAdapter, EventStore, MemoryAdapter, StateStore } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import type { Scheduler } from 'fast-check';

/** Calls that change something: their effects come in the order of calling, as the contracts say. */
const CHANGES = new Set(['append', 'trim', 'commit', 'acquire', 'renew', 'release']);

/**
 * The adapter of one process on a shared memory adapter, where a scheduler decides when each call takes effect and when its
 * answer comes. After `die` no call takes effect and no answer comes.
 */
export class ScheduledAdapter {
  readonly adapter: EventBusAdapter;
  readonly #scheduler: Scheduler;
  #changes: Promise<unknown> = Promise.resolve();
  #isAlive = true;

  constructor(kept: MemoryAdapter, scheduler: Scheduler, isShared: boolean) {
    this.#scheduler = scheduler;
    const gate = <T extends object>(target: T): T =>
      new Proxy(target, { get: (_, call) => this.#scheduled(target, call as string) });
    this.adapter = {
      name: 'scheduled',
      supports: { ...kept.supports, durability: 'synced', shared: isShared },
      store: gate<EventStore>(kept.store),
      state: gate<StateStore>(kept.state),
      open: async () => {},
      close: async () => {},
      health: () => ({ status: 'ok', facts: {} }),
      watch: () => () => {},
    };
  }

  die(): void {
    this.#isAlive = false;
  }

  #scheduled(target: object, call: string): (...args: unknown[]) => Promise<unknown> {
    const effect = (args: unknown[]) => {
      if (!this.#isAlive) return new Promise(() => {});
      return (Reflect.get(target, call) as (...args: unknown[]) => Promise<unknown>).apply(target, args);
    };
    return async (...args) => {
      const given = structuredClone(args);
      const arrival = this.#scheduler.schedule(Promise.resolve(), `${call} arrives`);
      const done = CHANGES.has(call) ? this.#inOrder(arrival, () => effect(given)) : arrival.then(() => effect(given));
      const settled = await done.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      await this.#scheduler.schedule(Promise.resolve(), `${call} answered`);
      if (!this.#isAlive) return new Promise(() => {});
      if ('error' in settled) throw settled.error;
      return settled.value;
    };
  }

  #inOrder(arrival: Promise<unknown>, effect: () => Promise<unknown>): Promise<unknown> {
    const done = this.#changes.then(() => arrival).then(effect);
    this.#changes = done.catch(() => {});
    return done;
  }
}

const STEPS_MAX = 20_000;

/** What is scheduled, and the passing of time, which is one of the steps to choose from: so deadlines come at any point. */
export class Interleaving {
  readonly time = new VirtualTime();
  readonly scheduler: Scheduler;
  steps = 0;
  /** How much time passes in one step. */
  tickMs: number;
  #isTicking = false;
  #isTickDue = false;

  constructor(scheduler: Scheduler, tickMs: number) {
    this.scheduler = scheduler;
    this.tickMs = tickMs;
  }

  /** Takes one step after the other until `isDone`. */
  async until(isDone: () => boolean): Promise<void> {
    while (!isDone()) {
      if (this.steps++ > STEPS_MAX) throw new RangeError('Nothing comes to an end.');
      if (!this.#isTicking) {
        this.#isTicking = true;
        void this.scheduler.schedule(Promise.resolve(), 'time passes').then(() => {
          this.#isTickDue = true;
        });
      }
      await this.scheduler.waitOne();
      await this.time.advance(this.#isTickDue ? this.tickMs : 0);
      if (this.#isTickDue) this.#isTicking = false;
      this.#isTickDue = false;
    }
  }

  /** Takes steps until `work` is settled, and gives its result. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    work.then(settle, settle);
    await this.until(() => isSettled);
    return work;
  }

  /** Something outside that takes its time. */
  async later(what: string): Promise<void> {
    await this.scheduler.schedule(Promise.resolve(), what);
  }
}

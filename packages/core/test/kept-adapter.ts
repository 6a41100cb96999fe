import type { AdapterHealth, Clock, EventBusAdapter, EventStore, StateStore, Supports } from '@event-manager/core';
import { memory } from '@event-manager/core';

type Call = keyof EventStore | keyof StateStore;

/** What a test puts between the engine and what is kept: may wait, and fails the call by throwing. */
export type Interference = (call: Call, args: readonly unknown[]) => void | Promise<void>;

/**
 * A durable adapter for one process: what `memory` keeps, under the promise that it outlives its users. `connect` gives the
 * adapter of the next process; `crash` ends the present one, which then gets no answer to anything any more.
 */
export class KeptAdapter {
  readonly kept;
  /** Every call in the order of calling. */
  readonly calls: { call: Call; args: readonly unknown[] }[] = [];
  interfere: Interference = () => {};
  health: AdapterHealth = { status: 'ok', facts: {} };
  #generation = 0;

  constructor(clock: Clock) {
    this.kept = memory({ runtime: { clock } });
    void this.kept.open();
  }

  connect(supports: Partial<Supports> = {}): EventBusAdapter {
    const generation = ++this.#generation;
    const gate = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (_, call) => this.#gated(target, call as Call, () => this.#generation === generation),
      });
    return {
      name: 'kept',
      supports: { ...this.kept.supports, durability: 'synced', ...supports },
      store: gate<EventStore>(this.kept.store),
      state: gate<StateStore>(this.kept.state),
      open: async () => {},
      close: async () => {},
      health: () => this.health,
      watch: () => () => {},
    };
  }

  crash(): void {
    this.#generation++;
  }

  #gated(target: object, call: Call, isAlive: () => boolean): unknown {
    return async (...args: unknown[]) => {
      if (!isAlive()) return new Promise(() => {});
      this.calls.push({ call, args });
      await this.interfere(call, args);
      if (!isAlive()) return new Promise(() => {});
      const method = Reflect.get(target, call) as (...args: unknown[]) => Promise<unknown>;
      const answer = await method.apply(target, args);
      return isAlive() ? answer : new Promise(() => {});
    };
  }
}

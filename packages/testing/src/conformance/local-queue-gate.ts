import type { AdapterHealth, EventBusAdapter, EventStore, StateStore, Supports } from '@event-manager/core';

type Call = keyof EventStore | keyof StateStore;

/** What a test sees of the calls of one engine. */
export interface GateWatch {
  /** Called before a call reaches the adapter; the call waits for what it answers. */
  asked?(call: Call): Promise<void> | undefined;
  /** Called when the adapter did what it was asked, before the engine hears of it. */
  done(call: Call, given: readonly unknown[]): void;
}

/**
 * The adapter as one engine has it. `kill` ends the engine as a process ends: what it asks from then on never reaches the
 * adapter, and nothing that it still waits for is answered. Opening and closing are left to the harness, which outlives
 * the engine.
 */
export class GatedAdapter implements EventBusAdapter {
  readonly name: string;
  readonly supports: Supports;
  readonly store: EventStore;
  readonly state: StateStore;
  /** Calls that the adapter has not answered yet. */
  pending = 0;
  isAlive = true;
  readonly #behind: EventBusAdapter;
  readonly #watch: GateWatch;

  constructor(behind: EventBusAdapter, watch: GateWatch) {
    this.name = behind.name;
    this.supports = behind.supports;
    this.#behind = behind;
    this.#watch = watch;
    this.store = this.#gate(behind.store);
    this.state = this.#gate(behind.state);
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  health(): AdapterHealth {
    return this.#behind.health();
  }

  watch(onHint: () => void): () => void {
    return this.#behind.watch(() => {
      if (this.isAlive) onHint();
    });
  }

  kill(): void {
    this.isAlive = false;
  }

  #gate<T extends object>(target: T): T {
    return new Proxy(target, {
      get:
        (_, call) =>
        (...given: unknown[]) =>
          this.#pass(target, call as Call, given),
    });
  }

  async #pass(target: object, call: Call, given: readonly unknown[]): Promise<unknown> {
    if (!this.isAlive) return never();
    const hold = this.#watch.asked?.(call);
    if (hold) await hold;
    if (!this.isAlive) return never();
    this.pending++;
    let answer: unknown;
    try {
      answer = await (Reflect.get(target, call) as (...given: unknown[]) => unknown).apply(target, [...given]);
      this.#watch.done(call, given);
    } catch (error) {
      if (this.isAlive) throw error;
    } finally {
      this.pending--;
    }
    return this.isAlive ? answer : never();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

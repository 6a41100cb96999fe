import { type Clock, type MemoryAdapter, memory, type Timers } from '@event-manager/core';
import type { SeededChance } from './seeded-chance.ts';
import { SharedHandle } from './shared-handle.ts';

export interface SimulatedSharedOptions {
  /** One time for the whole world, as leases are told by the server that keeps them. */
  readonly time: Clock & Timers;
  readonly chance: SeededChance;
  /** Longest time of a request or an answer on its way. 5 ms when absent. */
  readonly usualMs?: number;
  /** Longest time of a slow one: long enough for leases to run out meanwhile. 2 s when absent. */
  readonly stallMs?: number;
  /** The share that is slow. 0.02 when absent. */
  readonly stallShare?: number;
  /** The share of hints that never arrive. 0.3 when absent. */
  readonly hintLossShare?: number;
}

/**
 * One log and one state that several simulated processes share, as they would share a database: each `connect` gives one
 * of them its adapter.
 *
 * What is kept is the memory adapter; what is simulated is the way to it. A call travels, takes effect in one instant, and
 * its answer travels back. Calls that change something arrive in the order in which their handle made them; answers
 * overtake each other. Effects are durable at once, since here processes die and the database does not.
 */
export class SimulatedShared {
  readonly kept: MemoryAdapter;
  readonly #options: Required<SimulatedSharedOptions>;
  readonly #handles = new Set<SharedHandle>();

  constructor(options: SimulatedSharedOptions) {
    this.#options = { usualMs: 5, stallMs: 2000, stallShare: 0.02, hintLossShare: 0.3, ...options };
    this.kept = memory({ runtime: { clock: options.time } });
    void this.kept.open();
  }

  get time(): Clock & Timers {
    return this.#options.time;
  }

  get chance(): SeededChance {
    return this.#options.chance;
  }

  /** The adapter of one more process, not open yet. Answers and hints reach it by `timers`: a process that is suspended reads none. */
  connect(timers: Timers = this.time): SharedHandle {
    const handle = new SharedHandle(this, timers);
    this.#handles.add(handle);
    return handle;
  }

  /** How long a request or an answer travels this time. */
  travelMs(): number {
    const { chance, usualMs, stallMs, stallShare } = this.#options;
    return chance.fraction() * (chance.happens(stallShare) ? stallMs : usualMs);
  }

  /** Tells the others that something changed; some never hear of it. */
  announce(from: SharedHandle): void {
    for (const handle of this.#handles) {
      if (handle === from || this.chance.happens(this.#options.hintLossShare)) continue;
      handle.timers.after(this.travelMs(), () => handle.hint());
    }
  }

  disconnect(handle: SharedHandle): void {
    this.#handles.delete(handle);
  }
}

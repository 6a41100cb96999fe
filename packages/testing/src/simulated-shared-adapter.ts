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
  /** The share of letters that never arrive. 0.05 when absent. */
  readonly letterLossShare?: number;
  /** The share of letters that come twice. 0.05 when absent. */
  readonly letterTwiceShare?: number;
  /** Called with a letter that is lost, as JSON. */
  readonly onLetterLost?: (letter: string) => void;
  /** Called with who is concerned when a letter will be on its way longer than usual, and until when. */
  readonly onLetterSlow?: (from: string, to: string, untilMs: number) => void;
  /** The share of letters that are slow; those behind them wait. 0.002 when absent. */
  readonly letterStallShare?: number;
}

/** What is late, lost and doubled where nothing else is said. */
const USUAL = {
  usualMs: 5,
  stallMs: 2000,
  stallShare: 0.02,
  hintLossShare: 0.3,
  letterLossShare: 0.05,
  letterTwiceShare: 0.05,
  letterStallShare: 0.002,
  onLetterLost: () => {},
  onLetterSlow: () => {},
};

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
  readonly #cuts = new Set<string>();
  /** The last arrival on each way between two processes. */
  readonly #lettersArriveAtMs = new Map<string, number>();

  constructor(options: SimulatedSharedOptions) {
    this.#options = { ...USUAL, ...options };
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

  /**
   * Carries a letter to one process, or to all others: some never arrive and some come twice, but none overtakes another one
   * on the same way. Two processes may be cut off from each other by `partition`.
   */
  carry(from: string, letter: string, to: string | undefined): void {
    for (const handle of this.#handles) {
      const name = handle.receiver;
      if (name === undefined || name === from || (to !== undefined && to !== name)) continue;
      if (this.isCut(from, name) || this.chance.happens(this.#options.letterLossShare)) {
        this.#options.onLetterLost(letter);
        continue;
      }
      this.#bring(handle, from, letter);
      if (this.chance.happens(this.#options.letterTwiceShare)) this.#bring(handle, from, letter);
    }
  }

  /** No letter passes between these two until it is healed. */
  partition(one: string, other: string): () => void {
    const cut = [one, other].toSorted().join(' ');
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  isCut(one: string, other: string): boolean {
    return this.#cuts.has([one, other].toSorted().join(' '));
  }

  disconnect(handle: SharedHandle): void {
    this.#handles.delete(handle);
  }

  #bring(handle: SharedHandle, from: string, letter: string): void {
    const way = `${from} ${handle.receiver}`;
    const { usualMs, stallMs, letterStallShare } = this.#options;
    const nowMs = this.time.monotonicMs();
    const travelMs = this.chance.fraction() * (this.chance.happens(letterStallShare) ? stallMs : usualMs);
    const arrivesAtMs = Math.max(this.#lettersArriveAtMs.get(way) ?? 0, nowMs + travelMs);
    this.#lettersArriveAtMs.set(way, arrivesAtMs);
    if (arrivesAtMs - nowMs > usualMs) this.#options.onLetterSlow(from, handle.receiver!, arrivesAtMs);
    handle.timers.after(arrivesAtMs - nowMs, () => handle.letter(letter, from));
  }
}

import type { StateStore } from '../contracts/state-store.ts';
import type { Clock } from '../runtime/clock.ts';
import { dueKey, readDueKey } from './schedule-record.ts';

/** Entries read at once; up to twice as many are in memory. */
const PAGE = 1_000;

/** A scheduled event that is soon due. */
export interface DueEntry {
  readonly key: string;
  readonly id: string;
  /** Wall clock, as it is kept. */
  readonly dueMs: number;
  /** The same on the monotonic clock, decided when it came into memory: from then on a jump of the wall clock changes nothing. */
  readonly atMs: number;
  /** Of the event's body. */
  readonly bytes: number;
}

/**
 * The next scheduled events, in the order of their due times; what comes behind them is only in the store. Everything that is
 * kept with a key up to that of the last entry is here, and all there is when the window is whole.
 */
export class DueWindow {
  readonly #state: StateStore;
  readonly #clock: Clock;
  #entries: DueEntry[] = [];
  #isWhole = false;
  #isFilling = false;
  /** Came while a page was being read, which may lack them. */
  #arrived: DueEntry[] = [];

  constructor(state: StateStore, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
  }

  /** When the first of those that `counts` is due, on the monotonic clock. */
  nextAtMs(counts: (id: string) => boolean): number | undefined {
    let nextAtMs: number | undefined;
    for (const { atMs, id } of this.#entries) {
      if ((nextAtMs === undefined || atMs < nextAtMs) && counts(id)) nextAtMs = atMs;
    }
    return nextAtMs;
  }

  /** Entries whose time has come, by their time. */
  due(nowMs: number): DueEntry[] {
    return this.#entries.filter(({ atMs }) => atMs <= nowMs);
  }

  /** To be called for what is kept durably. */
  insert(dueMs: number, id: string, bytes: number): void {
    const entry = this.#entry(dueKey(dueMs, id), bytes);
    if (this.#isFilling) this.#arrived.push(entry);
    else this.#insert(entry);
  }

  remove(key: string): void {
    const at = this.#entries.findIndex((entry) => entry.key === key);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  /** Another process may have changed what is kept: read anew when `fill` is called next. */
  forget(): void {
    this.#entries = [];
    this.#isWhole = false;
  }

  /** Reads on when nothing is left. What was removed meanwhile may come back; whoever takes it finds no event. */
  async fill(): Promise<void> {
    if (this.#isWhole || this.#entries.length > 0) return;
    this.#isFilling = true;
    try {
      const { entries, next } = await this.#state.load('schedule-due', { limit: PAGE });
      this.#entries = entries.map(({ key, value }) => this.#entry(key, value as number));
      this.#isWhole = next === undefined;
    } finally {
      this.#isFilling = false;
      const arrived = this.#arrived;
      this.#arrived = [];
      for (const entry of arrived) this.#insert(entry);
    }
  }

  #insert(entry: DueEntry): void {
    const last = this.#entries.at(-1);
    if (!this.#isWhole && (last === undefined || entry.key > last.key)) return;
    let at = this.#entries.length;
    while (at > 0 && this.#entries[at - 1]!.key > entry.key) at--;
    if (this.#entries[at - 1]?.key === entry.key) return;
    this.#entries.splice(at, 0, entry);
    if (this.#entries.length <= 2 * PAGE) return;
    this.#entries.length = PAGE;
    this.#isWhole = false;
  }

  #entry(key: string, bytes: number): DueEntry {
    const { dueMs, id } = readDueKey(key);
    const atMs = this.#clock.monotonicMs() + Math.max(0, dueMs - this.#clock.wallMs());
    return { key, id, dueMs, atMs, bytes };
  }
}

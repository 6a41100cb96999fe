import type { AdapterHealth } from '../contracts/adapter.ts';
import type { Clock } from '../runtime/clock.ts';

/** The store went from one state to another. */
export interface StoreChange {
  readonly from: AdapterHealth['status'];
  readonly to: AdapterHealth['status'];
  /** Of the state that it is in now; of the one before when it is well again. */
  readonly reason?: string;
  /** How long the state before lasted. */
  readonly lastedMs: number;
}

/** Looks at the health of the store every now and then, and remembers what a single look cannot tell: since when, and how long in all. */
export class StoreWatch {
  readonly #health: () => AdapterHealth;
  readonly #clock: Clock;
  #status: AdapterHealth['status'] = 'ok';
  #reason: string | undefined;
  #sinceMs: number;
  #unavailableMs = 0;

  constructor(health: () => AdapterHealth, clock: Clock) {
    this.#health = health;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** How long it was away in all, so far. */
  get unavailableMs(): number {
    return this.#unavailableMs + (this.#status === 'unavailable' ? this.#clock.monotonicMs() - this.#sinceMs : 0);
  }

  /** What changed since the last look. */
  look(): StoreChange | undefined {
    const { status, reason } = this.#health();
    if (status === this.#status) return undefined;
    const nowMs = this.#clock.monotonicMs();
    const told = status === 'ok' ? this.#reason : reason;
    const lastedMs = Math.round(nowMs - this.#sinceMs);
    const change = { from: this.#status, to: status, lastedMs, ...(told === undefined ? {} : { reason: told }) };
    if (this.#status === 'unavailable') this.#unavailableMs += lastedMs;
    this.#status = status;
    this.#reason = reason;
    this.#sinceMs = nowMs;
    return change;
  }
}

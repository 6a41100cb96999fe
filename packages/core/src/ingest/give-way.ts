/**
 * When whoever publishes in a row has to let timers and input have their turn.
 *
 * A store in memory answers within the turn of the event loop in which it was asked. So who does nothing but `await publish(…)`
 * goes on from one microtask to the next, and no timer fires and no socket is read until that ends. After some milliseconds
 * without a turn the next answer waits for one.
 *
 * Nothing of that is felt by others: a turn is looked out for only when much was published since the last one, and the clock is
 * read by whoever publishes in any case.
 */
import type { Timers } from '../runtime/clock.ts';

/** Without a turn of the event loop. */
const TURN_MS = 10;
/** Answers, and time that they took, before anybody looks whether the loop still turns. */
const FREE_OF_CHARGE = 64;
const FREE_OF_CHARGE_MS = 2;

export class GiveWay {
  readonly #timers: Timers;
  #answers = 0;
  #spentMs = 0;
  #isWatching = false;
  #dueAtMs = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Publishers that handed in at `sinceMs` were answered at `nowMs`. */
  answered(sinceMs: number, nowMs: number): void {
    if (this.#isWatching) return;
    this.#answers++;
    this.#spentMs += nowMs - sinceMs;
    if (this.#answers < FREE_OF_CHARGE && this.#spentMs < FREE_OF_CHARGE_MS) return;
    this.#isWatching = true;
    this.#dueAtMs = nowMs + TURN_MS;
    this.#timers.soon(() => {
      this.#isWatching = false;
      this.#answers = 0;
      this.#spentMs = 0;
    });
  }

  /** True where the loop has not turned for so long that who handed in at `nowMs` waits for its next turn. */
  isDue(nowMs: number): boolean {
    return this.#isWatching && nowMs >= this.#dueAtMs;
  }
}

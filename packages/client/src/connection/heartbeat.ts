import type { Timers } from '@event-manager/core/portable';

export interface HeartbeatOptions {
  readonly timers: Timers;
  readonly everyMs: number;
  /** Asks the other side for a word. */
  readonly ask: () => void;
  readonly onSilence: () => void;
}

/**
 * Finds out that the other side is gone although nothing says so: a browser shows neither pings nor a lost network. It asks
 * before it judges, because the timers of a page in the background come late and would find a silence that was none.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: () => void = () => {};
  #isHeard = true;
  #isAsked = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isHeard = true;
    this.#isAsked = false;
    this.#wait();
  }

  stop(): void {
    this.#cancel();
  }

  heard(): void {
    this.#isHeard = true;
    this.#isAsked = false;
  }

  #wait(): void {
    const { timers, everyMs } = this.#options;
    this.#cancel = timers.after(everyMs, () => this.#look());
  }

  #look(): void {
    if (this.#isAsked) {
      this.#options.onSilence();
      return;
    }
    if (!this.#isHeard) {
      this.#isAsked = true;
      this.#options.ask();
    }
    this.#isHeard = false;
    this.#wait();
  }
}

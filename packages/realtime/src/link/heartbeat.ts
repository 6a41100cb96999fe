import type { Cancel, Timers } from '@event-manager/core';

/** A peer that is there answers a ping at once; a minute between two pings is no reason to wait a minute for the answer. */
const ANSWER_MS_MAX = 10_000;

export interface HeartbeatOptions {
  readonly timers: Timers;
  readonly everyMs: number;
  readonly ping: () => void;
  readonly onSilence: () => void;
}

/**
 * Finds a peer that is gone without a goodbye: half of a broken connection would stay open for hours.
 *
 *     quiet ──every `everyMs`: ping──▶ asked ──heard──▶ quiet
 *                                        └──nothing for `everyMs`, 10 s at most──▶ silent
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #cancel: Cancel = () => {};
  #isHeard = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    const { timers, everyMs, ping, onSilence } = this.#options;
    this.#cancel = timers.after(everyMs, () => {
      this.#isHeard = false;
      ping();
      const answerMs = Math.min(everyMs, ANSWER_MS_MAX);
      this.#cancel = timers.after(answerMs, () => (this.#isHeard ? this.start() : onSilence()));
    });
  }

  /** Whatever comes is a sign of life. */
  heard(): void {
    this.#isHeard = true;
  }

  stop(): void {
    this.#cancel();
  }
}

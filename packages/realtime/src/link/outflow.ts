import type { Clock } from '@event-manager/core';

/** Bytes beyond which nothing more is handed to the socket. */
const BYTES_MAX = 1024 * 1024;
/** A peer that takes nothing for so long although something waits for it. */
const STALL_MS = 10_000;

/** What was handed to the socket of one connection and has not left this process: a peer that reads slowly shall not fill our memory. */
export class Outflow {
  readonly #clock: Clock;
  #bytes = 0;
  #movedAtMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFull(): boolean {
    return this.#bytes >= BYTES_MAX;
  }

  get isStalled(): boolean {
    return this.#bytes > 0 && this.#clock.monotonicMs() - this.#movedAtMs >= STALL_MS;
  }

  added(bytes: number): void {
    if (this.#bytes === 0) this.#movedAtMs = this.#clock.monotonicMs();
    this.#bytes += bytes;
  }

  left(bytes: number): void {
    this.#bytes -= bytes;
    this.#movedAtMs = this.#clock.monotonicMs();
  }
}

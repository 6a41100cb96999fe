import { EventManagerError } from '@event-manager/core';

const OVERLOADED_RETRY_AFTER_MS = 1_000;

/**
 * What all bodies that are being read may hold together. A limit per body says nothing about a thousand bodies that are sent
 * slowly at once: without this one they could take the memory of the process.
 */
export class BodyBudget {
  readonly #bytesMax: number;
  #held = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get held(): number {
    return this.#held;
  }

  /** Throws `overloaded`; then nothing was taken. */
  take(bytes: number): void {
    if (this.#held + bytes > this.#bytesMax) {
      throw new EventManagerError('overloaded', 'Too many bytes of other bodies are being read.', {
        retryAfterMs: OVERLOADED_RETRY_AFTER_MS,
        limit: 'bodiesBytesMax',
        maximum: this.#bytesMax,
      });
    }
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

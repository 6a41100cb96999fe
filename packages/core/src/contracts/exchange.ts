import type { JsonValue } from '../json.ts';

/** What a letter may take as JSON, in UTF-8. */
export const LETTER_BYTES_MAX = 64 * 1024;

/**
 * Carries letters between the processes that share a store. A letter may be lost, come late or come twice; those of one sender
 * to one receiver that arrive keep their order. Nothing durable may hang on one.
 */
export interface Exchange {
  /**
   * Sends soon and does not wait: what cannot be sent is lost, also before `receive` and after its end. `to` is the name of one
   * process, or absent for all others. Throws TypeError when the letter takes more than `LETTER_BYTES_MAX`.
   */
  send(letter: JsonValue, to?: string): void;
  /**
   * Begins to receive as `self`, at most 128 characters without NUL, which no other process uses; returns the end of it. Called
   * at most once, after `open`. Nothing that this process sent comes back to it. What `onLetter` throws is a bug of its caller.
   */
  receive(self: string, onLetter: (letter: JsonValue, from: string) => void): () => void;
}

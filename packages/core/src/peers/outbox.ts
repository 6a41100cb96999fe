import { LETTER_BYTES_MAX } from '../contracts/exchange.ts';
import type { Timers } from '../runtime/clock.ts';
import type { Letter } from './envelope.ts';

/** What an envelope takes beside its letters. */
const ENVELOPE_BYTES = 512;
const BYTES_MAX = LETTER_BYTES_MAX - ENVELOPE_BYTES;

interface Waiting {
  readonly to: string | undefined;
  letters: Letter[];
  bytes: number;
}

/** Joins the letters of one turn to one receiver, so that a hundred deliveries are one envelope and not a hundred. */
export class Outbox {
  readonly #timers: Timers;
  readonly #send: (letters: readonly Letter[], to: string | undefined) => void;
  readonly #waiting = new Map<string | undefined, Waiting>();
  #isScheduled = false;

  constructor(timers: Timers, send: (letters: readonly Letter[], to: string | undefined) => void) {
    this.#timers = timers;
    this.#send = send;
  }

  /** `to` is the name of one process, or absent for all others. Throws TypeError when the letter fits into no envelope. */
  post(letter: Letter, to?: string): void {
    const bytes = Buffer.byteLength(JSON.stringify(letter)) + 1;
    if (bytes > BYTES_MAX) throw new TypeError(`A letter of ${bytes} bytes fits into no envelope.`);
    const waiting = this.#waiting.get(to) ?? this.#first(to);
    if (waiting.bytes + bytes > BYTES_MAX) this.#dispatch(waiting);
    waiting.letters.push(letter);
    waiting.bytes += bytes;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#timers.soon(() => this.flush());
  }

  flush(): void {
    this.#isScheduled = false;
    for (const waiting of this.#waiting.values()) this.#dispatch(waiting);
    this.#waiting.clear();
  }

  #first(to: string | undefined): Waiting {
    const waiting: Waiting = { to, letters: [], bytes: 0 };
    this.#waiting.set(to, waiting);
    return waiting;
  }

  #dispatch(waiting: Waiting): void {
    const { letters, to } = waiting;
    waiting.letters = [];
    waiting.bytes = 0;
    if (letters.length > 0) this.#send(letters, to);
  }
}

import { LETTER_BYTES_MAX } from '../contracts/exchange.ts';
import type { Timers } from '../runtime/clock.ts';
import type { Envelope, Letter } from './envelope.ts';

/** What an envelope takes beside its letters. */
const ENVELOPE_BYTES = 512;
const BYTES_MAX = LETTER_BYTES_MAX - ENVELOPE_BYTES;

/** What was last heard of the receiver, and of which life. */
export type Heard = Pick<Envelope, 'to' | 'echoMs'>;

type Send = (letters: readonly Letter[], to: string | undefined, heard: Heard) => void;

interface Waiting {
  readonly to: string | undefined;
  letters: Letter[];
  bytes: number;
  heard: Heard;
}

/** False for one that no envelope can hold. */
export function fits(letter: Letter): boolean {
  return bytesOf(letter) <= BYTES_MAX;
}

/**
 * Joins the letters of one turn to one receiver, so that a hundred deliveries are one envelope and not a hundred.
 *
 * What was heard of the receiver is taken when the first of them is posted, not when they are sent: a process may be stopped in
 * between, and hear on waking what makes its old letters look young.
 */
export class Outbox {
  readonly #timers: Timers;
  readonly #send: Send;
  readonly #heardOf: (to: string | undefined) => Heard;
  readonly #waiting = new Map<string | undefined, Waiting>();
  #isScheduled = false;

  constructor(timers: Timers, heardOf: (to: string | undefined) => Heard, send: Send) {
    this.#timers = timers;
    this.#heardOf = heardOf;
    this.#send = send;
  }

  /** `to` is the name of one process, or absent for all others. Throws TypeError when the letter fits into no envelope. */
  post(letter: Letter, to?: string): void {
    const bytes = bytesOf(letter);
    if (bytes > BYTES_MAX) throw new TypeError(`A letter of ${bytes} bytes fits into no envelope.`);
    const waiting = this.#waiting.get(to) ?? this.#first(to);
    if (waiting.bytes + bytes > BYTES_MAX) this.#dispatch(waiting);
    if (waiting.letters.length === 0) waiting.heard = this.#heardOf(to);
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
    const waiting: Waiting = { to, letters: [], bytes: 0, heard: {} };
    this.#waiting.set(to, waiting);
    return waiting;
  }

  #dispatch(waiting: Waiting): void {
    const { letters, to, heard } = waiting;
    waiting.letters = [];
    waiting.bytes = 0;
    if (letters.length > 0) this.#send(letters, to, heard);
  }
}

/** With what separates it from the next one. */
function bytesOf(letter: Letter): number {
  return Buffer.byteLength(JSON.stringify(letter)) + 1;
}

import type { Runtime } from '../runtime/runtime.ts';

const TURN_MS = 5;
const TURN_BYTES = 256 * 1024;
/** Where time does not pass, as in a simulation, something else has to end a turn. */
const TURN_PIECES = 256;
/** So many pieces may be under way at once: what each does with an answer of the store is charged to no turn. */
const PENDING_MAX = 4;

/**
 * Shares the event loop between streams. Reading what is in memory and writing what the kernel takes wait for nothing, so
 * streams that catch up would go on for seconds without letting anybody else have the loop. Here each piece of their work
 * is done at once while the current turn of the loop has room for it, else in one of the next turns, in the order of asking.
 * Few may wait for the store at a time, because their answers arrive outside of this count.
 */
export class Turns {
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>;
  #waiting: (() => void)[] = [];
  #pending = 0;
  #isArmed = false;
  #ms = 0;
  #bytes = 0;
  #pieces = 0;

  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>) {
    this.#runtime = runtime;
  }

  /** Calls `work` once and resolves with what it returns. What it does before its first wait is what a turn is charged for. */
  run<Value>(work: () => Value | Promise<Value>, bytes = 0): Promise<Value> {
    if (this.#waiting.length === 0 && this.#hasRoom()) return this.#do(work, bytes);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => void this.#do(work, bytes).then(resolve, reject));
    });
  }

  #hasRoom(): boolean {
    return this.#pending < PENDING_MAX && this.#ms < TURN_MS && this.#bytes < TURN_BYTES && this.#pieces < TURN_PIECES;
  }

  async #do<Value>(work: () => Value | Promise<Value>, bytes: number): Promise<Value> {
    this.#arm();
    const { clock } = this.#runtime;
    const startMs = clock.monotonicMs();
    this.#pending++;
    this.#pieces++;
    this.#bytes += bytes;
    try {
      const value = work();
      this.#ms += clock.monotonicMs() - startMs;
      return await value;
    } finally {
      this.#pending--;
      this.#goOn();
    }
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#runtime.timers.soon(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isArmed = false;
    this.#ms = 0;
    this.#bytes = 0;
    this.#pieces = 0;
    this.#goOn();
  };

  #goOn(): void {
    while (this.#waiting.length > 0 && this.#hasRoom()) this.#waiting.shift()!();
    // Whoever is pending goes on with this; a turn of the loop would only find that again.
    if (this.#waiting.length > 0 && this.#pending < PENDING_MAX) this.#arm();
  }
}

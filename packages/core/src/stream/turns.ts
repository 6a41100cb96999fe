import type { Runtime } from '../runtime/runtime.ts';

const TURN_MS = 5;
const TURN_BYTES = 256 * 1024;
/** Where time does not pass, as in a simulation, something else has to end a turn. */
const TURN_PIECES = 256;

/**
 * Shares the event loop between streams. Reading what is in memory and writing what the kernel takes wait for nothing, so
 * streams that catch up would go on for seconds without letting anybody else have the loop. Here each piece of their work
 * is done at once while the current turn of the loop has room for it, else in one of the next turns, in the order of asking.
 */
export class Turns {
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>;
  #waiting: (() => void)[] = [];
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
    return this.#ms < TURN_MS && this.#bytes < TURN_BYTES && this.#pieces < TURN_PIECES;
  }

  async #do<Value>(work: () => Value | Promise<Value>, bytes: number): Promise<Value> {
    this.#arm();
    const { clock } = this.#runtime;
    const startMs = clock.monotonicMs();
    try {
      return work();
    } finally {
      this.#ms += clock.monotonicMs() - startMs;
      this.#bytes += bytes;
      this.#pieces++;
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
    const waiting = this.#waiting;
    let done = 0;
    while (done < waiting.length && this.#hasRoom()) waiting[done++]!();
    this.#waiting = waiting.slice(done);
  };
}

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';

/** What is wrong with one direction of every connection. Each is independent of the others. */
export interface DirectionFaults {
  /** Each byte arrives this much later. Delays bytes, not their rate: much can be on its way. */
  readonly latencyMs: number;
  /** Up to this much more, drawn for each piece; order is kept, as TCP keeps it. */
  readonly jitterMs: number;
  /** At most so many bytes in a second, spread evenly. */
  readonly bytesPerSecond: number;
  /** Pieces of at most this size, each written alone: what a reader gets is then cut at every place. */
  readonly sliceBytes: number;
  /** Nothing passes, not even an end, and nobody is told. What was sent meanwhile passes afterwards, as TCP would send it again. */
  readonly blackHole: boolean;
}

export const NO_FAULTS: DirectionFaults = Object.freeze({
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
  blackHole: false,
});

/** The faults of a direction as they are now, and a way to hear that they changed. */
export class FaultSwitch {
  #faults: DirectionFaults = NO_FAULTS;
  readonly #waiting = new Set<() => void>();

  get now(): DirectionFaults {
    return this.#faults;
  }

  turn(faults: DirectionFaults): void {
    this.#faults = faults;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Calls `wake` at every change until the returned function is called. */
  watch(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

/** How many of the first ones, of which nobody knows yet how large they are. */
const FIRST = 8;
const GROWTH = 4;

/**
 * How many entries to ask a store for at once, where each may have a few bytes or a megabyte: as many as would have come to about
 * `bytesMax` in the page before, at most `most`. What is read and decoded in one piece holds up everything else in the process.
 */
export class PageSize {
  limit: number;
  readonly #most: number;
  readonly #bytesMax: number;

  constructor({ most, bytesMax }: { readonly most: number; readonly bytesMax: number }) {
    this.limit = Math.min(FIRST, most);
    this.#most = most;
    this.#bytesMax = bytesMax;
  }

  /** A page had so many, of so many bytes together. */
  saw(count: number, bytes: number): void {
    if (count === 0) return;
    const fitting = Math.floor((this.#bytesMax * count) / Math.max(1, bytes));
    this.limit = Math.max(1, Math.min(this.#most, fitting, this.limit * GROWTH));
  }
}

/** The bytes of bodies. */
export function bytesOf(records: readonly { readonly body: Uint8Array }[]): number {
  return records.reduce((sum, { body }) => sum + body.length, 0);
}

/** A power of two: with a million ids one in seven unknown ones is taken for known, with ten thousand one in 40,000. */
const COUNTERS = 1 << 22;
const COUNTER_MAX = 255;

/**
 * Tells of most ids that they are not in a set, in 4 MiB however large the set is: a publisher of other events must not wait
 * for a look into the store because something is scheduled. Each id has two counters; a counter that is full stays so.
 */
export class CountingFilter {
  #counters: Uint8Array | undefined;

  add(id: string): void {
    this.#counters ??= new Uint8Array(COUNTERS);
    const hash = hashOf(id);
    this.#change(hash & (COUNTERS - 1), 1);
    this.#change(secondOf(hash), 1);
  }

  /** To be called once for each `add`, and for nothing else: it would take out a part of ids that are there. */
  remove(id: string): void {
    if (!this.mayHold(id)) return;
    const hash = hashOf(id);
    this.#change(hash & (COUNTERS - 1), -1);
    this.#change(secondOf(hash), -1);
  }

  /** False is certain. */
  mayHold(id: string): boolean {
    const counters = this.#counters;
    if (counters === undefined) return false;
    const hash = hashOf(id);
    return counters[hash & (COUNTERS - 1)]! > 0 && counters[secondOf(hash)]! > 0;
  }

  #change(at: number, by: 1 | -1): void {
    const counters = this.#counters!;
    const count = counters[at]!;
    if (count !== COUNTER_MAX) counters[at] = count + by;
  }
}

function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function secondOf(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 10;
}

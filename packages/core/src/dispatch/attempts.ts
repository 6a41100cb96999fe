import type { Attempt } from './deliver.ts';

/**
 * The attempts of one subscription that are under way, in the order of starting: a list that is linked through the attempts
 * themselves. A `Set` moves to a new table every few additions and deletions, which is garbage for every delivery.
 *
 * Invariant: an attempt that left the list refers to none that is in it. (One that the collector took for long-lived would
 * otherwise keep all that followed, with their events.)
 */
export class Attempts {
  #first: Attempt | undefined;
  #last: Attempt | undefined;
  size = 0;

  /** The one with the earliest deadline. */
  get first(): Attempt | undefined {
    return this.#first;
  }

  add(attempt: Attempt): void {
    if (attempt.isListed) return;
    attempt.isListed = true;
    attempt.earlier = this.#last;
    if (this.#last) this.#last.later = attempt;
    else this.#first = attempt;
    this.#last = attempt;
    this.size++;
  }

  /** False when it was not there. */
  delete(attempt: Attempt): boolean {
    if (!attempt.isListed) return false;
    const { earlier, later } = attempt;
    if (earlier) earlier.later = later;
    else this.#first = later;
    if (later) later.earlier = earlier;
    else this.#last = earlier;
    attempt.isListed = false;
    if (attempt.lingers) attempt.subscription.lingering--;
    attempt.earlier = undefined;
    attempt.later = undefined;
    this.size--;
    return true;
  }

  clear(): void {
    for (const attempt of this) this.delete(attempt);
  }

  /** Those that are there now: what comes or goes meanwhile changes nothing. */
  *[Symbol.iterator](): Generator<Attempt> {
    const present: Attempt[] = [];
    for (let attempt = this.#first; attempt; attempt = attempt.later) present.push(attempt);
    yield* present;
  }
}

/**
 * What one check may cost, counted in steps of about 50 ns (measured) rather than in time, so that the same event is judged the
 * same on a busy machine. Schemas come from strangers, and a small one can ask for more than any machine has: `$ref`s that
 * double at every level, a list of alternatives for each of a hundred thousand items.
 *
 * Checks are synchronous and one compiler has one effort: whatever runs between `begin` and the end of the check spends from it.
 */
export class Effort {
  readonly #stepsMax: number;
  #left = 0;

  constructor(stepsMax: number) {
    this.#stepsMax = stepsMax;
  }

  begin(): void {
    this.#left = this.#stepsMax;
  }

  /** Throws `TooMuchEffort`. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchEffort();
  }
}

/** Ends a check from inside the code that the compiler made; never leaves the package. */
export class TooMuchEffort extends Error {}

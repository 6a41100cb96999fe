/** One named part of `npm test`. A new one is one line in the list of `scripts/test.ts`. */
export interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
}

export interface StepResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly Skip[];
}

/** A check that did not run, and why: a skip without a reason would hide what was not proven. */
export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export const PASSED: StepResult = { passed: 1, failed: 0, skipped: [] };
export const FAILED: StepResult = { passed: 0, failed: 1, skipped: [] };

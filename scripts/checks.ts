import { commandStep } from './steps/command-step.ts';
import type { Step } from './steps/step.ts';
import { tidyStep } from './steps/tidy-step.ts';

/** What can be judged without running the product. */
export const checks: readonly Step[] = [
  commandStep('format and lint', 'biome', 'check', '--error-on-warnings'),
  commandStep('types', 'tsc', '-b'),
  tidyStep('tidy'),
];

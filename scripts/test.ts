// `npm test`: every check and test of the repository. Its last line is `N passed, N failed`, with the skips counted behind.
import { checks } from './checks.ts';
import { programStep } from './steps/program-step.ts';
import { publishedStep } from './steps/published-step.ts';
import { runSteps } from './steps/run-steps.ts';
import { vitestStep } from './steps/vitest-step.ts';

const steps = [
  ...checks,
  publishedStep('built packages'),
  vitestStep('tests'),
  programStep('simulation', 'test/simulation/main.ts', '--seeds', '2000', '--fired-min', '10'),
];
process.exitCode = (await runSteps(steps)) ? 0 : 1;

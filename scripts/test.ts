// `npm test`: every check and test of the repository. Its last line is `N passed, N failed`, with the skips counted behind.
import { checks } from './checks.ts';
import { publishedStep } from './steps/published-step.ts';
import { runSteps } from './steps/run-steps.ts';
import { vitestStep } from './steps/vitest-step.ts';

process.exitCode = (await runSteps([...checks, publishedStep('built packages'), vitestStep('tests')])) ? 0 : 1;

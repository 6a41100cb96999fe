// `npm run check`: the quick half of `npm test`, for use before each commit.
import { checks } from './checks.ts';
import { runSteps } from './steps/run-steps.ts';

process.exitCode = (await runSteps(checks)) ? 0 : 1;

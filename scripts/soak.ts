// `npm run soak`: the long runs. What `npm test` does in minutes, with more seeds; bounded by `--seeds` (default 200,000).
import { parseArgs } from 'node:util';
import { programStep } from './steps/program-step.ts';
import { runSteps } from './steps/run-steps.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '200000' }, from: { type: 'string', default: '1' } },
});
const args = ['--seeds', values.seeds, '--from', values.from, '--twice-every', '1000'];
// The fuzz of `npm test` sends ten thousand requests from a seed of its own.
process.env['FUZZ_SEED'] ??= values.from;
process.env['FUZZ_REQUESTS'] ??= '200000';
const steps = [
  programStep('simulation', 'test/simulation/main.ts', ...args),
  programStep('openapi fuzz', 'node_modules/vitest/vitest.mjs', 'run', 'packages/server/test/fuzz'),
];
process.exitCode = (await runSteps(steps)) ? 0 : 1;

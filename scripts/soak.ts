// `npm run soak`: the long runs. What `npm test` does in minutes, with more seeds; bounded by `--seeds` (default 200,000).
import { parseArgs } from 'node:util';
import { programStep } from './steps/program-step.ts';
import { runSteps } from './steps/run-steps.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '200000' }, from: { type: 'string', default: '1' } },
});
const args = ['--seeds', values.seeds, '--from', values.from, '--twice-every', '1000'];
process.exitCode = (await runSteps([programStep('simulation', 'test/simulation/main.ts', ...args)])) ? 0 : 1;

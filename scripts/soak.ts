// `npm run soak`: the long runs. What `npm test` does in minutes, with more seeds; bounded by `--seeds` (default 200,000) and by
// `--minutes`. A run that ended early goes on with `--from`, as its last line says under `next`.
import { parseArgs } from 'node:util';
import { programStep } from './steps/program-step.ts';
import { runSteps } from './steps/run-steps.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200000' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string', default: 'Infinity' },
  },
});
const bounds = ['--seeds', values.seeds, '--from', values.from, '--minutes', values.minutes];
const args = [...bounds, '--twice-every', '1000'];
// The fuzz of `npm test` sends ten thousand requests from a seed of its own.
process.env['FUZZ_SEED'] ??= values.from;
process.env['FUZZ_REQUESTS'] ??= '200000';
process.env['KEYED_ORDER'] ??= 'full';
process.env['POSTGRES_FAULTS'] ??= 'full';
process.env['REDIS_FAULTS'] ??= 'full';
process.env['REDIS_FAULT_ROUNDS'] ??= '200';
const steps = [
  programStep('simulation', 'test/simulation/main.ts', ...args),
  programStep('keyed order', 'node_modules/vitest/vitest.mjs', 'run', 'test/order'),
  programStep(
    'PostgreSQL under faults',
    'node_modules/vitest/vitest.mjs',
    'run',
    'packages/postgres/test',
    'test/e2e/database-power-loss',
  ),
  programStep('Redis under faults', 'node_modules/vitest/vitest.mjs', 'run', 'packages/redis/test/faults'),
  programStep('openapi fuzz', 'node_modules/vitest/vitest.mjs', 'run', 'packages/server/test/fuzz'),
];
process.exitCode = (await runSteps(steps)) ? 0 : 1;

/**
 * `npm run sim -- --seeds N [--from K] [--minutes M] [--seed K --trace] [--planted BUG]`: runs the product in simulated time,
 * one run per seed, and prints one line of sums. A seed that fails prints the command that replays it. With `--minutes` it
 * ends when the time is over, and `next` of the line says where to go on.
 */
import { parseArgs } from 'node:util';
import { CORE_FAILPOINTS, type PlantedBug } from '@event-manager/core';
import { FAILPOINTS } from '@event-manager/journal';
import { ACTIONS } from './features/feature.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    planted: { type: 'string', multiple: true, default: [] },
    /** Runs every n-th seed twice and compares the traces. */
    'twice-every': { type: 'string', default: '50' },
    'fired-min': { type: 'string', default: '0' },
    minutes: { type: 'string', default: 'Infinity' },
  },
});

/** Of the violations of one seed: a process that starts in vain says so for hours. */
const TOLD_MAX = 20;

const failpoints = [...CORE_FAILPOINTS, ...FAILPOINTS];
const planted = new Set(values.planted as PlantedBug[]);
const fired = new Map<string, number>(failpoints.map((name) => [name, 0]));
const done = new Map<string, number>(ACTIONS.map((action) => [action, 0]));
const from = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const startedAtMs = performance.now();
const endsAtMs = startedAtMs + Number(values.minutes) * 60_000;
let next = from;
let failed = 0;
let differing = 0;
const sums = { acked: 0, delivered: 0, duplicates: 0, deadLettered: 0 };

for (; next < from + count && performance.now() < endsAtMs; next++) {
  const seed = next;
  const result = await runSeed(seed, { failpoints, planted, traceLines: values.trace ? 100_000 : 0 });
  if (values.trace) process.stdout.write(`${JSON.stringify(result.plan, null, 2)}\n${result.trace.join('\n')}\n`);
  for (const [name, times] of result.fired) fired.set(name, (fired.get(name) ?? 0) + times);
  for (const [action, times] of result.did) done.set(action, (done.get(action) ?? 0) + times);
  for (const field of Object.keys(sums) as (keyof typeof sums)[]) sums[field] += result.report?.[field] ?? 0;
  if (result.violations.length > 0) tell(result);
  if ((seed - from) % Number(values['twice-every']) === 0) {
    const again = await runSeed(seed, { failpoints, planted });
    if (again.traceHash !== result.traceHash) {
      differing++;
      process.stdout.write(`seed ${seed} ran differently the second time: ${result.traceHash} ${again.traceHash}\n`);
    }
  }
}

const rare = [...fired, ...done]
  .filter(([, times]) => times < Number(values['fired-min']))
  .map(([name, times]) => `${name}: ${times}`);
if (rare.length > 0) process.stdout.write(`failpoints and actions that came too rarely: ${rare.join(', ')}\n`);
const seconds = Math.round((performance.now() - startedAtMs) / 100) / 10;
const least = Math.min(...fired.values());
const date = new Date().toISOString();
const ran = { date, seeds: next - from, from, next, failed, differing, least, seconds, done: Object.fromEntries(done) };
process.stdout.write(`${JSON.stringify({ ...ran, ...sums })}\n`);
process.exitCode = failed + differing + rare.length > 0 ? 1 : 0;

function tell(result: SeedResult): void {
  failed++;
  const violations = [...new Set(result.violations)];
  for (const violation of violations.slice(0, TOLD_MAX)) process.stdout.write(`seed ${result.seed}: ${violation}\n`);
  const bugs = values.planted.map((bug) => ` --planted ${bug}`).join('');
  process.stdout.write(`  replay: npm run sim -- --seed ${result.seed} --trace${bugs}\n`);
}

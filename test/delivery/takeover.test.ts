import { describe, expect, it } from 'vitest';
import { IN_FLIGHT_MAX, runTakeover, type Takeover } from './takeover.ts';

const RUNS = 30;
const TAKEOVER_MS_MAX = 10_000;

async function runAll(how: 'killed' | 'stopped'): Promise<Takeover[]> {
  const runs: Takeover[] = [];
  for (let seed = 1; seed <= RUNS; seed++) runs.push(await runTakeover(seed, how));
  const sum = (of: (run: Takeover) => number) => runs.reduce((all, run) => all + of(run), 0);
  const summary = {
    ...{ how, runs: RUNS, takeoverMsMax: Math.ceil(Math.max(...runs.map((run) => run.takeoverMs))) },
    lost: sum(({ report }) => report.lost),
    duplicatesMax: Math.max(...runs.map(({ report }) => report.duplicates)),
    lateCommits: sum((run) => run.lateCommits),
    lateCommitsRefused: sum((run) => run.lateCommitsRefused),
  };
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  return runs;
}

/** Where one process stops, another goes on soon, and what the first still believes changes nothing. */
describe.each(['killed', 'stopped'] as const)('a process that serves a subscription is %s, 30 times', (how) => {
  it('is replaced within 10 s, loses nothing and repeats at most one window', { timeout: 600_000 }, async () => {
    for (const { report, takeoverMs, begunByOthers, lateCommits, lateCommitsRefused } of await runAll(how)) {
      expect(takeoverMs).toBeLessThanOrEqual(TAKEOVER_MS_MAX);
      expect(report).toMatchObject({ lost: 0, unexpected: 0, attemptsRepeated: 0 });
      expect(report.duplicates).toBeLessThanOrEqual(IN_FLIGHT_MAX);
      expect(begunByOthers).toBe(0);
      expect(lateCommitsRefused).toBe(lateCommits);
    }
  });
});

it('a stopped process does commit too late, so that the store has something to refuse', async () => {
  const runs = await Promise.all([1, 2, 3, 4].map((seed) => runTakeover(seed, 'stopped')));
  expect(runs.reduce((all, { lateCommits }) => all + lateCommits, 0)).toBeGreaterThan(0);
});

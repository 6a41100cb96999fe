import { ANONYMOUS, type PlantedBug } from '@event-manager/core';
import { mostInWindow } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { fixedRetry } from '../../open-engine.ts';
import { byState, ended, type Handed, redrive, redriveWorld } from './redrive-world.ts';

const FAILPOINTS = ['checkpoint.before-commit', 'checkpoint.after-commit', 'deliver.before', 'deliver.after'] as const;
const LETTERS = 12;
const IN_FLIGHT_MAX = 4;
/** In a commit of its own the run is started; what is killed before that never began. */
const PASSES_MAX = 200;

/** A crash counts as a failure of what was under way. */
const RETRY = fixedRetry(3, 100);

interface Ending {
  readonly wasKilled: boolean;
  readonly handed: readonly Handed[];
  readonly states: Readonly<Record<string, number>>;
  readonly done: number;
}

/** Redrives twelve letters, is killed when the failpoint is passed the `at`th time, and redrives what is left, twice. */
async function killedAt(failpoint: string, at: number, planted: readonly PlantedBug[] = []): Promise<Ending> {
  const { handed, receiver, start, time } = redriveWorld({ inFlightMax: IN_FLIGHT_MAX, retryPolicy: RETRY });
  let isArmed = false;
  let passed = 0;
  const first = await start({
    planted,
    failpoint: (name) => {
      if (isArmed && name === failpoint && ++passed === at) first.crash();
    },
  });
  await first.publishMany(LETTERS);
  await first.settled();
  await time.advance(1_000);
  handed.length = 0;
  receiver.isWell = true;
  isArmed = true;
  const run = await redrive(first, { all: true, rate: 20 });
  for (let step = 0; step < 100 && first.isAlive; step++) await time.advance(50);
  isArmed = false;
  const wasKilled = !first.isAlive;
  const last = wasKilled ? await start({ planted }) : first;
  const over = await ended(last, run);
  await last.settled();
  // Whoever is not sure that it was done asks again.
  const again = await ended(last, await redrive(last, { all: true }));
  const died = await ended(last, await redrive(last, { all: true }));
  await last.settled();
  const states = byState(await last.deadLetters());
  await last.close();
  return { wasKilled, handed, states, done: over.counts.done + again.counts.done + died.counts.done };
}

/** Every attempt that a receiver saw, once: a doubled debt would begin with the number of the letter again. */
function doubled(handed: readonly Handed[]): string[] {
  const names = handed.map(({ n, attempt }) => `${n}#${attempt}`);
  return names.filter((name, at) => names.indexOf(name) !== at);
}

describe('a redrive that is killed delivers each letter once more', () => {
  it.each(FAILPOINTS)('at every %s', async (failpoint) => {
    for (let at = 1; ; at++) {
      const { wasKilled, handed, states } = await killedAt(failpoint, at);
      const where = `killed at passing ${at}`;
      expect(new Set(handed.map(({ n }) => n)).size, where).toBe(LETTERS);
      expect(doubled(handed), where).toEqual([]);
      // What was under way may come again, with the next number.
      expect(handed.length, where).toBeLessThanOrEqual(LETTERS + IN_FLIGHT_MAX);
      expect(states['open'] ?? 0, where).toBe(0);
      if (!wasKilled) return;
      expect(at).toBeLessThan(PASSES_MAX);
    }
  });

  it('which a letter that is closed apart from its debt would not do', async () => {
    let doubles = 0;
    for (let at = 1; at < 40; at++) {
      const { handed } = await killedAt('checkpoint.after-commit', at, ['redrive-torn-from-letter']);
      doubles += doubled(handed).length;
    }
    expect(doubles).toBeGreaterThan(0);
  });
});

describe('ten thousand letters', () => {
  it('are each delivered once more, at the rate, asked for twice and killed half-way', {
    timeout: 120_000,
  }, async () => {
    const count = Number(process.env['REDRIVE_LETTERS'] ?? 10_000);
    const { handed, receiver, start, time } = redriveWorld({ retryPolicy: RETRY });
    const setUp = { deadLetters: { confirmAbove: count } };
    const first = await start(setUp);
    for (let from = 1; from <= count; from += 1_000) await first.publishMany(Math.min(1_000, count - from + 1), from);
    await first.settled();
    handed.length = 0;
    receiver.isWell = true;
    const rate = 500;
    const run = await redrive(first, { all: true, rate, note: 'the account is back' });
    const second = await redrive(first, { all: true, rate });
    while (handed.length < count / 2) await time.advance(100);
    first.crash();
    const before = handed.length;
    const last = await start(setUp);
    const [one, two] = [await ended(last, run), await ended(last, second)];
    await last.settled();
    expect(one.counts.done + two.counts.done).toBe(count);
    expect(new Set(handed.map(({ n }) => n)).size).toBe(count);
    expect(doubled(handed)).toEqual([]);
    const most = mostInWindow(
      handed.map(({ atMs }) => atMs),
      1_000,
    );
    const letters = await last.deadLetters();
    const runs = new Set([run.id, second.id]);
    expect(letters.filter(({ state, closed }) => state === 'redriven' && runs.has(closed!.runId))).toHaveLength(count);
    expect(one.words).toMatchObject([{ what: 'started', by: ANONYMOUS.id }]);
    const facts = { test: 'D5', letters: count, before, handed: handed.length, rate, most };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    expect(most).toBeLessThanOrEqual(rate + 1);
  });
});

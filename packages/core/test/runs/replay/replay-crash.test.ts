import { ANONYMOUS, type EventHandler, type PlantedBug } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/runs/run.ts';
import { durableWorld, type EngineUnderTest, fixedRetry, type SetUp } from '../../open-engine.ts';
import { SeveralEngines } from '../../several-engines.ts';

const EVENTS = 240;
const WINDOW = 40;
const OPTIONS = { maxConcurrency: 8, inFlightMax: WINDOW, retryPolicy: fixedRetry(2, 50) };
const FAILPOINTS = ['deliver.before', 'deliver.after', 'checkpoint.before-commit', 'checkpoint.after-commit'];

interface Replayed {
  readonly n: number;
  readonly attempt: number;
}

/** Notes what is replayed, and says no to every thirtieth. */
function receiver(bus: () => EngineUnderTest | undefined, replayed: Replayed[], tookMs: number): EventHandler {
  return async (event, { replay, attempt }) => {
    const mine = bus();
    if (replay) replayed.push({ n: event.payload['n'] as number, attempt });
    await mine?.time.wait(tookMs);
    // A dead process does nothing any more, whatever its code still tries.
    if (!mine?.isAlive) return new Promise(() => {});
    const fails = replay && (event.payload['n'] as number) % 30 === 0;
    return fails ? { success: false, error: 'no' } : undefined;
  };
}

async function over(bus: EngineUnderTest, id: string): Promise<Run> {
  for (let waited = 0; waited < 3_000; waited++) {
    const run = await bus.time.run(bus.engine.runs.get(ANONYMOUS, id));
    if (run.endedAtMs !== undefined) return run;
    await bus.time.advance(100);
  }
  throw new TypeError('The run did not end.');
}

/** A replay that is killed at a failpoint as often as is said, and what came of it. */
async function killed(failpoint: string, atHits: readonly number[], planted: Iterable<PlantedBug> = []) {
  const world = durableWorld();
  const replayed: Replayed[] = [];
  let bus: EngineUnderTest | undefined;
  let hits = Number.NEGATIVE_INFINITY;
  const open = async (setUp: SetUp = {}) => {
    bus = await world.open({ ...setUp, planted });
    const mine = bus;
    const handler = receiver(() => mine, replayed, 5);
    await bus.subscribe({ name: 's', handler, options: OPTIONS });
    return bus;
  };
  const fail = (name: string) => {
    if (name === failpoint && --hits === 0) bus!.crash();
  };
  const first = await open({ failpoint: fail });
  await first.publishMany(EVENTS);
  await first.settled();
  const { id } = await first.time.run(first.engine.runs.start(ANONYMOUS, 'replay', { all: true }));
  let kills = 0;
  for (const at of atHits) {
    hits = at;
    for (let waited = 0; bus!.isAlive && waited < 200; waited++) await world.time.advance(10);
    if (bus!.isAlive) break;
    kills++;
    hits = Number.NEGATIVE_INFINITY;
    await open({ failpoint: fail });
  }
  hits = Number.NEGATIVE_INFINITY;
  const run = await over(bus!, id);
  const letters = await bus!.deadLetters();
  const report = await bus!.time.run(bus!.engine.runs.report(ANONYMOUS, id, { limit: 1_000 }));
  await bus!.close();
  return { run, replayed, letters, report, kills, world };
}

/** How often each was begun beyond the first time and its retries. */
function doubles(replayed: readonly Replayed[]): number {
  const times = new Map<number, number>();
  for (const { n } of replayed) times.set(n, (times.get(n) ?? 0) + 1);
  let more = 0;
  for (const [n, count] of times) more += Math.max(0, count - (n % 30 === 0 ? 3 : 1));
  return more;
}

describe('a replay that is killed', () => {
  it.each(FAILPOINTS)('leaves no gap, and at most a window of doubles each time, at %s', async (failpoint) => {
    const { run, replayed, letters, report, kills, world } = await killed(failpoint, [3, 17, 40]);
    expect(kills).toBeGreaterThan(1);
    expect(new Set(replayed.map(({ n }) => n)).size).toBe(EVENTS);
    expect(doubles(replayed)).toBeLessThanOrEqual(kills * WINDOW);
    // What the counts say is what was settled: each event once.
    expect(run.counts).toEqual({ total: EVENTS, done: EVENTS - 8, failed: 8, skipped: 0 });
    expect(report.failures).toHaveLength(8);
    expect(letters).toEqual([]);
    // Nothing of it is left but the run itself.
    expect((await world.kept.kept.state.load('attempt', { limit: 1 })).entries).toEqual([]);
    for (const kind of ['progress', 'owed', 'blocked'] as const) {
      const { entries } = await world.kept.kept.state.load(kind, { limit: 100 });
      expect(entries.filter(({ key }) => key.includes('~'))).toEqual([]);
    }
  });

  it('is caught when it keeps nothing of how far it was', async () => {
    const { replayed, kills } = await killed('deliver.after', [150, 150], ['replay-begins-anew']);
    expect(kills).toBeGreaterThan(0);
    expect(doubles(replayed)).toBeGreaterThan(kills * WINDOW);
  });

  it('is caught when what it gives up on becomes a dead letter', async () => {
    const { letters } = await killed('deliver.after', [], ['replay-fails-as-live']);
    expect(letters.length).toBeGreaterThan(0);
  });
});

describe('a replay whose process goes', () => {
  it.each(['dies', 'ends in order'] as const)('is taken over by another one: it %s', async (how) => {
    const engines = await SeveralEngines.of(2);
    const replayed: Replayed[] = [];
    let id = '';
    for (const bus of engines.all) {
      const handler = receiver(() => bus, replayed, 20);
      ({ id } = await bus.subscribe({ name: 's', handler, options: OPTIONS }));
    }
    await engines.time.advance(2_000);
    await engines.all[0]!.publishMany(EVENTS);
    await engines.time.advance(5_000);
    const owner = engines.ownerOf(id)!;
    const other = engines.all.find((bus) => bus !== owner)!;
    // Asked of the one that does not serve it.
    const run = await engines.time.run(other.engine.runs.start(ANONYMOUS, 'replay', { all: true, speed: 50 }));
    await engines.time.advance(2_500);
    const before = await engines.time.run(other.engine.runs.get(ANONYMOUS, run.id));
    expect(before.counts.done).toBeGreaterThan(20);
    if (how === 'dies') engines.crash(owner);
    else await engines.leave(owner);
    const ended = await over(other, run.id);
    expect(ended.counts).toEqual({ total: EVENTS, done: EVENTS - 8, failed: 8, skipped: 0 });
    expect(new Set(replayed.map(({ n }) => n)).size).toBe(EVENTS);
    expect(doubles(replayed)).toBeLessThanOrEqual(how === 'dies' ? WINDOW : 0);
    await engines.close();
  });
});

describe('a replay to an ordered subscription', () => {
  it('keeps the order of each key exactly, over retries and a crash', async () => {
    const world = durableWorld();
    const replayed: { key: string; n: number }[] = [];
    const open = async () => {
      const bus = await world.open();
      const handler: EventHandler = async (event, { replay, attempt }) => {
        const n = event.payload['n'] as number;
        await bus.time.wait(1 + (n % 7));
        if (!bus.isAlive) return new Promise(() => {});
        if (replay && n % 11 === 0 && attempt === 1) return { success: false };
        if (replay) replayed.push({ key: event.topic, n });
        return undefined;
      };
      const options = { ...OPTIONS, order: 'topic', onFailure: 'park' };
      await bus.subscribe({ name: 's', handler, options });
      return bus;
    };
    const first = await open();
    for (let n = 1; n <= 120; n++) await first.publishMany(1, n, { topic: `key/${n % 5}` });
    await first.settled();
    const { id } = await first.time.run(first.engine.runs.start(ANONYMOUS, 'replay', { all: true }));
    await world.time.advance(60);
    first.crash();
    const second = await open();
    expect((await over(second, id)).counts.done).toBe(120);
    for (let key = 0; key < 5; key++) {
      const numbers = replayed.filter((one) => one.key === `key/${key}`).map(({ n }) => n);
      const firsts = [...new Set(numbers)];
      expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
      expect(firsts).toHaveLength(24);
    }
    await second.close();
  });
});

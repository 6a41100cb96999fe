import { ANONYMOUS, type Event, memory, type Recorded } from '@event-manager/core';
import { sampleEvent } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/limits.ts';
import { type Counted, countEvents } from '../../../src/runs/replay/count-events.ts';
import { parsePattern } from '../../../src/topic/pattern.ts';
import { openMemory } from '../../open-engine.ts';

const EVENTS = 1_000;

/** A log, and a clock that goes on by `perReadingMs` whenever somebody looks at it. */
async function surroundings(perReadingMs: number) {
  const { store } = memory();
  store.isOpen = true;
  await store.append(Array.from({ length: EVENTS }, (_, n) => sampleEvent(n, { topic: 'a' })));
  let nowMs = 0;
  let turns = 0;
  const clock = {
    wallMs: () => 0,
    monotonicMs: () => {
      nowMs += perReadingMs;
      return nowMs;
    },
  };
  const soon = (run: () => void) => {
    turns++;
    setImmediate(run);
  };
  const timers = { soon, after: () => () => {} };
  return { store, runtime: { clock, timers }, turns: () => turns };
}

function counting(matches: (event: Event) => boolean): Counted {
  return { id: 's', pattern: parsePattern('a', DEFAULT_LIMITS), wants: () => true, matches, offered: 0, wanted: 0 };
}

const RANGE = { from: 1, until: EVENTS, takes: (_record: Recorded) => true };

it('decodes an event once for all that ask', async () => {
  const { store, runtime } = await surroundings(0);
  const seen: Event[] = [];
  const counted = Array.from({ length: 100 }, () => counting((event) => seen.push(event) > 0));
  expect(await countEvents({ store, partition: 0, runtime }, { ...RANGE, until: 10 }, { counted })).toBe(true);
  expect([seen.length, new Set(seen).size]).toEqual([1_000, 10]);
  expect(counted.every(({ offered, wanted }) => offered === 10 && wanted === 10)).toBe(true);
});

it('lets others have their turn, also within what it reads at once', async () => {
  const { store, runtime, turns } = await surroundings(4);
  const counted = Array.from({ length: 64 }, () => counting(() => true));
  expect(await countEvents({ store, partition: 0, runtime }, RANGE, { counted })).toBe(true);
  // A look at the clock each four events, and a turn each three looks.
  expect(turns()).toBeGreaterThan(50);
});

it('says so when its time is over', async () => {
  const { store, runtime } = await surroundings(3_000);
  const counted = [counting(() => true)];
  const read = store.read.bind(store);
  store.read = (partition, after, options) => read(partition, after, { ...options, limit: 100 });
  expect(await countEvents({ store, partition: 0, runtime }, RANGE, { counted })).toBe(false);
  expect(counted[0]!.wanted).toBeLessThan(EVENTS);
});

it('leaves out of a dry run what has expired, and not out of the total', async () => {
  const bus = await openMemory();
  await bus.subscribe({ topic: '#', name: 's', handler: () => undefined });
  await bus.publishMany(3);
  const expiresAt = new Date(bus.time.wallMs() + 1_000).toISOString();
  await bus.publishMany(2, 4, { metadata: { expiresAt } });
  await bus.settled();
  const preview = () => bus.time.run(bus.engine.replays.preview(ANONYMOUS, { all: true }));
  expect((await preview()).count).toBe(5);
  await bus.time.advance(2_000);
  const { count, sample } = await preview();
  expect([count, sample.map(({ payload }) => payload['n'])]).toEqual([3, [1, 2, 3]]);
  const run = await bus.time.run(bus.engine.runs.start(ANONYMOUS, 'replay', { all: true }));
  await bus.time.advance(5_000);
  const { counts } = await bus.time.run(bus.engine.runs.get(ANONYMOUS, run.id));
  expect(counts).toEqual({ total: 5, done: 3, failed: 0, skipped: 2 });
});

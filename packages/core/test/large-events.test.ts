/** What reads many events or letters in one go holds up every delivery meanwhile: bounded by bytes, with a turn for others between. */
import { ANONYMOUS, memory, systemRuntime } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { sampleEvent } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { PageSize } from '../src/page-size.ts';
import { openOn } from './open-engine.ts';
import { discard, redriveWorld } from './runs/redrive/redrive-world.ts';

const KB = 1_024;
const FILLER = 'x'.repeat(200 * KB);
/** Read at once: the first ones, of which nobody knows yet how large they are, or a megabyte. */
const READ_MAX = 9 * 210 * KB;

/** An engine on the memory adapter with large events behind it, that notes what is read of them at once. */
async function withLargeEvents(count: number) {
  const time = new VirtualTime();
  const adapter = memory({ runtime: { clock: time } });
  const bus = await openOn(adapter, time);
  const first = await bus.publish({ payload: { n: 0, FILLER } });
  await bus.publishMany(count - 1, 1, { payload: { FILLER }, causationId: first.id });
  const read: number[] = [];
  const { store } = adapter;
  const find = store.find.bind(store);
  store.find = async (...args) => {
    const found = await find(...args);
    read.push(found.records.reduce((sum, { body }) => sum + body.length, 0));
    return found;
  };
  return { bus, id: first.id, read };
}

it('a graph of large events is read a few at a time', async () => {
  const { bus, id, read } = await withLargeEvents(60);
  const graph = await bus.time.run(bus.engine.history.graph(ANONYMOUS, id));
  expect(graph.events).toHaveLength(60);
  expect(Math.max(...read)).toBeLessThan(READ_MAX);
  await bus.close();
});

it('so is a preview of a filter', async () => {
  const { bus, read } = await withLargeEvents(60);
  const { looked } = await bus.time.run(
    bus.engine.history.preview(ANONYMOUS, { topic: '#', filter: { payload: { n: 0 } } }),
  );
  expect(looked).toBe(60);
  expect(Math.max(...read)).toBeLessThan(READ_MAX);
  await bus.close();
});

it('letters of large events are grouped and discarded a few at a time', async () => {
  const { start, kept } = redriveWorld();
  const bus = await start();
  await bus.publishMany(40, 1, { payload: { FILLER } });
  await bus.settled();
  const read: number[] = [];
  const { state } = kept.kept;
  const load = state.load.bind(state);
  state.load = async (kind, options) => {
    const page = await load(kind, options);
    if (kind === 'dead-letter') read.push(JSON.stringify(page.entries).length);
    return page;
  };
  const { groups } = await bus.time.run(bus.engine.redrives.groups(ANONYMOUS));
  expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(40);
  expect(Math.max(...read.splice(0))).toBeLessThan(READ_MAX);
  await discard(bus, { all: true });
  await bus.time.advance(5_000);
  expect((await bus.deadLetters()).every(({ state: is }) => is === 'discarded')).toBe(true);
  await bus.close();
});

it('a search of the memory adapter gives way after each megabyte', async () => {
  let turns = 0;
  const timers = {
    soon: (run: () => void) => {
      turns++;
      setImmediate(run);
    },
  };
  const adapter = memory({ runtime: { clock: systemRuntime.clock, timers } });
  await adapter.open();
  const { store } = adapter;
  await store.append(Array.from({ length: 50 }, (_, n) => sampleEvent(n, { payload: { FILLER } })));
  const options = { limit: 10, direction: 'forward', budgetMs: 60_000 } as const;
  expect(await store.find({ types: ['nobody.says.this'] }, options)).toMatchObject({ records: [], complete: true });
  expect(turns).toBeGreaterThanOrEqual(8);
});

it('a page has as many as the one before would have had within the bytes, and grows by four at the most', () => {
  const size = new PageSize({ most: 200, bytesMax: 1_000 });
  const limits = [size.limit];
  for (const [count, bytes] of [
    [8, 80],
    [32, 320],
    [100, 1_000],
    [50, 100_000],
    [1, 1],
    [0, 0],
  ] as const) {
    size.saw(count, bytes);
    limits.push(size.limit);
  }
  expect(limits).toEqual([8, 32, 100, 100, 1, 4, 4]);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBus, InMemoryAdapter } from '@event-manager/core';
import { afterEach, beforeEach, expect, it } from 'vitest';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'event-bus-'));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

/** One row for each way to keep things: whatever is said below holds for both. */
const KEPT = [
  ['in memory', () => new InMemoryAdapter({ maxHistorySize: 3 })],
  ['on disk', () => new InMemoryAdapter({ maxHistorySize: 3, persistToDisk: true, dataDir })],
] as const;

it.each(KEPT)('shows the newest events %s, by topic pattern, until they are cleared', async (_where, make) => {
  const adapter = make();
  await adapter.initialize();
  await using bus = new EventBus(adapter);
  for (const n of [1, 2, 3, 4]) await bus.publish(n % 2 ? 'odd.numbers' : 'even.numbers', 'counted', { n });
  const numbers = (topic?: string) => adapter.getHistory(topic).map(({ payload }) => payload['n']);
  expect(numbers()).toEqual([2, 3, 4]);
  expect(numbers('odd/numbers')).toEqual([3]);
  expect(numbers('*.numbers')).toEqual([2, 3, 4]);
  adapter.clearHistory();
  expect(numbers()).toEqual([]);
  await bus.publish('odd.numbers', 'counted', { n: 5 });
  expect(numbers()).toEqual([5]);
});

it.each(KEPT)('shows an event once that was published twice %s', async (_where, make) => {
  const adapter = make();
  await using bus = new EventBus(adapter);
  const event = { id: 'f47ac10b-58cc-4372-a567-0e02b2c3d479', type: 'counted', timestamp: 1, payload: {} };
  await bus.publish(event);
  expect(await bus.publish(event)).toMatchObject({ duplicate: true });
  expect(adapter.getHistory()).toHaveLength(1);
});

it('goes on from the disk, with its history', async () => {
  const options = { persistToDisk: true, dataDir };
  {
    await using bus = new EventBus(new InMemoryAdapter(options));
    await bus.publish('orders', 'order.created', { n: 1 });
    expect((await bus.getStats()).adapter).toBe('journal');
  }
  const adapter = new InMemoryAdapter(options);
  await using bus = new EventBus(adapter);
  await bus.initialize();
  expect(adapter.getHistory().map(({ type }) => type)).toEqual(['order.created']);
  expect(await bus.eventManager.getEvents()).toHaveLength(1);
});

it('tells of a folder that somebody else has, and is open once that is gone', async () => {
  const options = { enablePersistence: true, dataDir };
  const first = new EventBus(options);
  await first.initialize();
  const adapter = new InMemoryAdapter({ persistToDisk: true, dataDir });
  await expect(adapter.initialize()).rejects.toMatchObject({ code: 'store_locked' });
  await first.close();
  await adapter.initialize();
  await adapter.close();
});

it('refuses what cannot be meant', () => {
  expect(() => new InMemoryAdapter({ maxHistory: 1 } as object)).toThrow(/InMemoryAdapter has no option "maxHistory"/);
  expect(() => new InMemoryAdapter({ maxHistorySize: Number.NaN })).toThrow(TypeError);
  expect(() => new InMemoryAdapter({ persistToDisk: 'no' } as object)).toThrow(TypeError);
  expect(() => new InMemoryAdapter({ persistToDisk: true }).store).toThrow(/not open/);
});

it.each(KEPT)('closes while it opens, before and again: %s', async (_where, make) => {
  const adapter = make();
  await adapter.close();
  const opening = adapter.initialize();
  const closing = adapter.close();
  await Promise.all([opening, closing]);
  await adapter.close();
  // Its folder is free.
  const other = make();
  await other.initialize();
  await other.close();
});

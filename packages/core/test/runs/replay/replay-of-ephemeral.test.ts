import { ANONYMOUS, type EventHandler } from '@event-manager/core';
import { expect, it } from 'vitest';
import { openMemory } from '../../open-engine.ts';

it('goes on where it was when a subscription that ends with its process is changed', async () => {
  const bus = await openMemory();
  const replayed: number[] = [];
  const handler: EventHandler = ({ payload }, { replay }) => {
    if (replay) replayed.push(payload['n'] as number);
  };
  const { id } = await bus.subscribe({ topic: '#', handler });
  await bus.publishMany(10);
  await bus.settled();
  const run = await bus.time.run(bus.engine.runs.start(ANONYMOUS, 'replay', { all: true, speed: 1 }));
  await bus.time.advance(4_500);
  const before = replayed.length;
  expect(before).toBeGreaterThan(2);
  await bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options: { maxConcurrency: 3 } }));
  await bus.time.advance(30_000);
  const after = await bus.time.run(bus.engine.runs.get(ANONYMOUS, run.id));
  expect([replayed, after.counts]).toEqual([
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    { total: 10, done: 10, failed: 0, skipped: 0 },
  ]);
  await bus.close();
});

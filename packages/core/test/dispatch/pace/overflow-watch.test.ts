import { ANONYMOUS, decodeEvent } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld } from '../../open-engine.ts';

const LOOK_MS = 15_000;

/** Whoever is not told finds out by the disk: what waits beyond the lane grows in the log. */
it('tells once when a lane was full, and once when everything is in memory again', async () => {
  const { time, open } = durableWorld();
  const bus = await open({ systemEvents: true, limits: { laneEntriesMax: 20 } });
  const told = async () => {
    const query = { topic: '$sys/#' };
    const { records } = await time.run(bus.engine.history.find(ANONYMOUS, query, { limit: 100, direction: 'forward' }));
    return records.map(({ topic, body }) => [topic, (decodeEvent(body).payload as { lag: number }).lag]);
  };
  let takesMs = LOOK_MS;
  const { id } = await bus.subscribe({ name: 's', handler: () => time.wait(takesMs), options: { timeoutMs: 60_000 } });
  await bus.publishMany(20);
  await time.advance(LOOK_MS);
  expect(await told()).toEqual([]);
  await bus.publishMany(30, 21);
  expect(bus.engine.metrics().readingBackSubscriptions).toBe(1);
  await time.advance(2 * LOOK_MS);
  expect(await told()).toEqual([['$sys/subscription/overflowed', expect.any(Number)]]);
  takesMs = 1;
  await bus.settled();
  await time.advance(LOOK_MS);
  expect(await told()).toEqual([
    ['$sys/subscription/overflowed', expect.any(Number)],
    ['$sys/subscription/caught-up', 0],
  ]);
  expect(bus.status(id).counts.delivered).toBe(50);
  expect(bus.engine.metrics().readingBackSubscriptions).toBe(0);
});

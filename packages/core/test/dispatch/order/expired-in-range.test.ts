import { ANONYMOUS } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, fixedRetry } from '../../open-engine.ts';

it('an event that expired before it came behind a parked key, or while it waited there, is counted once', async () => {
  const { time, open } = durableWorld();
  const bus = await open();
  const { subscriptions } = bus.engine;
  const got: unknown[] = [];
  const { id } = await bus.subscribe({
    name: 's',
    options: { order: 'topic', onFailure: 'park', retryPolicy: fixedRetry(0) },
    handler: ({ payload }) => {
      const { n } = payload as { n: number };
      got.push(n);
      return { success: n !== 1 };
    },
  });
  await bus.publishMany(1, 1);
  await time.advance(500);
  await time.run(subscriptions.pause(ANONYMOUS, id));
  const expiring = (afterMs: number) => ({ metadata: { expiresAt: new Date(time.wallMs() + afterMs).toISOString() } });
  await bus.publishMany(1, 2);
  await bus.publishMany(1, 3, expiring(1_000));
  await bus.publishMany(1, 4, expiring(60_000));
  await bus.publishMany(1, 5);
  await time.advance(2_000);
  await time.run(subscriptions.resume(ANONYMOUS, id));
  await time.advance(100_000);
  await time.run(subscriptions.keys.release(ANONYMOUS, id, 'order/created'));
  await bus.settled();
  const { delivered, deadLettered, expired, withdrawn } = bus.status(id).counts;
  expect([got, delivered, deadLettered, expired, withdrawn]).toEqual([[1, 2, 5], 2, 1, 2, 0]);
});

import { ANONYMOUS } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, fixedRetry } from '../open-engine.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** Its range had been read to the end, so nothing durable told of it when the debt before it was removed. */
it('an event that expired behind the debt of its key is counted when that debt is removed', async () => {
  const { time, open } = durableWorld();
  const serve = async () => {
    const bus = await open({ retention: { ageMs: MINUTE, owedAgeMs: 10 * MINUTE } });
    const options = { order: 'topic', retryPolicy: fixedRetry(2, 60 * MINUTE) } as const;
    const { id } = await bus.subscribe({ name: 's', options, handler: () => ({ success: false }) });
    return { bus, id };
  };
  const first = await serve();
  await first.bus.publishMany(1, 1);
  await time.advance(500);
  const expiresAt = new Date(time.wallMs() + SECOND).toISOString();
  await first.bus.publishMany(1, 2, { metadata: { expiresAt } });
  await time.advance(500);
  await first.bus.close();
  await time.advance(2 * SECOND);

  // Who serves it next reads the range behind the debt, which waits for its retry.
  const { bus, id } = await serve();
  await time.advance(5 * SECOND);
  const { subscriptions } = bus.engine;
  await time.run(subscriptions.pause(ANONYMOUS, id));
  await time.advance(20 * MINUTE);
  const { removed, expired } = bus.engine.metrics().deliveries;
  expect({ removed, expired }).toEqual({ removed: 1, expired: 1 });
  await bus.close();
});

/** The first removal saw that it had expired, the second that it was one of those that were put there. */
it('an event that expired behind a parked key is counted as such when its range is removed in two steps', async () => {
  const { time, open } = durableWorld();
  const bus = await open({ retention: { ageMs: MINUTE, owedAgeMs: 10 * MINUTE } });
  const { subscriptions } = bus.engine;
  const options = { order: 'topic', onFailure: 'park', retryPolicy: fixedRetry(0) } as const;
  const { id } = await bus.subscribe({ name: 's', options, handler: () => ({ success: false }) });
  await bus.publishMany(1, 1);
  await time.advance(500);
  const expiresAt = new Date(time.wallMs() + MINUTE).toISOString();
  await bus.publishMany(1, 2, { metadata: { expiresAt } });
  await time.advance(60 * SECOND);
  await bus.publishMany(1, 3);
  await time.advance(500);
  await time.run(subscriptions.pause(ANONYMOUS, id));
  await time.advance(20 * MINUTE);
  const { removed, expired, withdrawn, deadLettered } = bus.engine.metrics().deliveries;
  expect({ deadLettered, removed, expired, withdrawn }).toEqual({
    deadLettered: 1,
    removed: 1,
    expired: 1,
    withdrawn: 0,
  });
  await bus.close();
});

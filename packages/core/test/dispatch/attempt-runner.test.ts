import { ANONYMOUS, EventManagerError } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, fixedRetry } from '../open-engine.ts';

it('whoever waits for an attempt hears of its end when its own handler ends the subscription', async () => {
  const { time, open } = durableWorld();
  const bus = await open();
  const { subscriptions } = bus.engine;
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const ids: string[] = [];
  const handler = async () => {
    await mayEnd;
    await subscriptions.unsubscribe(ANONYMOUS, ids[0]!);
  };
  ids.push((await bus.subscribe({ name: 's', handler })).id);
  await bus.publish();
  await time.advance(100);
  const detached = subscriptions.detach(ANONYMOUS, ids[0]!);
  await time.advance(100);
  end();
  await time.run(detached);
});

it('goes on one suspect after the other when the handler of the first could not end the subscription', async () => {
  const { time, kept, open } = durableWorld();
  const before = await open();
  const { id } = await before.subscribe({ name: 's', handler: () => new Promise(() => {}) });
  await before.publishMany(3);
  await time.advance(500);
  before.crash();
  const bus = await open();
  let left = 1;
  kept.interfere = (call, args) => {
    if (call !== 'commit' || !JSON.stringify(args).includes('"kind":"subscription"') || left-- <= 0) return;
    throw new EventManagerError('disk_full', 'The disk is full.');
  };
  const got: unknown[] = [];
  let tried: Promise<unknown> | undefined;
  const handler = async ({ payload }: { payload: unknown }) => {
    got.push((payload as { n: number }).n);
    tried ??= bus.engine.subscriptions.unsubscribe(ANONYMOUS, id).catch((error: EventManagerError) => error.code);
    await tried;
  };
  await bus.subscribe({ name: 's', handler });
  await time.advance(60_000);
  expect([await tried, [...new Set(got)].sort()]).toEqual(['disk_full', [1, 2, 3]]);
});

it('begins no retry whose number became durable after a pause', async () => {
  const { time, kept, open } = durableWorld();
  const bus = await open();
  const attempts: number[] = [];
  const { id } = await bus.subscribe({
    name: 's',
    options: { retryPolicy: fixedRetry(5, 1_000) },
    handler: (_event, { attempt }) => {
      attempts.push(attempt);
      return { success: attempt > 1 };
    },
  });
  let slow = 1;
  kept.interfere = (call, args) =>
    call === 'commit' && JSON.stringify(args).includes('"started":true') && slow-- > 0 ? time.wait(2_000) : undefined;
  await bus.publish();
  await time.advance(1_500);
  await time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
  await time.advance(20_000);
  expect(attempts).toEqual([1]);
  await time.run(bus.engine.subscriptions.resume(ANONYMOUS, id));
  await time.advance(20_000);
  expect([attempts.length, bus.status(id).counts.delivered]).toEqual([2, 1]);
});

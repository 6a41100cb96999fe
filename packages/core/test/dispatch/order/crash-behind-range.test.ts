import { expect, it } from 'vitest';
import { durableWorld, fixedRetry } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, FAILED, KeyedReceiver } from './keyed-receiver.ts';

/** The whole range was taken for attempted, because the last event that came behind it may have been. */
it('attempts the range of a key for the first time after a crash, though more of the key came last', async () => {
  const world = durableWorld();
  const receiver = new KeyedReceiver();
  const open = () => world.open({ webhookSink: () => receiver.sink });
  const bus = await open();
  const options = { order: 'key', breaker: false, retryPolicy: fixedRetry(1_000, 1_000) };
  await bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options });
  receiver.answer = ({ n }) => (n === 1 ? FAILED : DELIVERED);
  const ofKey = { metadata: { orderingKey: 'a' } };
  await bus.publishMany(500, 1, ofKey);
  await bus.time.advance(10_000);
  await bus.publishMany(3, 501, ofKey);
  bus.crash();

  receiver.answer = () => DELIVERED;
  const next = await open();
  await next.settled();
  expect(receiver.firstOf('a')).toEqual(Array.from({ length: 503 }, (_, at) => at + 1));
  // The retries of the first one reserved those that would have followed.
  const reserved = Array.from({ length: 32 }, (_, at) => 2 + at);
  const again = receiver.seen.filter(({ n, attempt }) => n > 1 && attempt > 1).map(({ n }) => n);
  expect(again).toEqual([...reserved, 501, 502, 503]);
  await next.close();
});

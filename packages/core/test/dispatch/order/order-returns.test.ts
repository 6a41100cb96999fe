import { ANONYMOUS, type JsonObject, type Outcome } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, FAILED, KeyedReceiver, publishKeys } from './keyed-receiver.ts';

function change(bus: EngineUnderTest, id: string, options: JsonObject) {
  return bus.time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options }));
}

/** The range of the key was taken to reach to the new event, over those that were settled while nothing was ordered. */
it.each(['goes on', 'crashes'])(
  'delivers once what was settled between two times of one order, when the process %s',
  async (how) => {
    const world = durableWorld();
    const receiver = new KeyedReceiver();
    const open = () => world.open({ webhookSink: () => receiver.sink });
    let bus = await open();
    const options = { order: 'key', breaker: false, retryPolicy: fixedRetry(1_000, 300) };
    const { id } = await bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options });
    receiver.answer = ({ n }) => (n === 1 ? FAILED : DELIVERED);
    const restart = async () => {
      await bus.time.advance(1_000);
      if (how === 'goes on') return;
      bus.crash();
      bus = await open();
    };
    await publishKeys(bus, 'aa');
    await restart();
    await change(bus, id, { order: 'none' });
    await publishKeys(bus, 'aa', 3);
    await restart();
    expect(receiver.firstOf('a')).toEqual([1, 3, 4]);
    await change(bus, id, { order: 'key' });
    await restart();
    receiver.answer = ({ n }) => (n === 1 || n === 5 ? FAILED : DELIVERED);
    await publishKeys(bus, 'aa', 5);
    await restart();
    // What is blocked from before goes on beside what is ordered now.
    expect(receiver.firstOf('a')).toEqual([1, 3, 4, 5]);
    receiver.answer = () => DELIVERED;
    await bus.settled();
    for (const n of [2, 3, 4, 6]) expect(receiver.seen.filter((seen) => seen.n === n)).toHaveLength(1);
    const order = receiver.firstOf('a');
    expect(order.indexOf(6)).toBeGreaterThan(order.indexOf(5));
    expect((await world.kept.kept.state.load('blocked', { limit: 10 })).entries).toEqual([]);
    await bus.close();
  },
);

/** The range of the key reached over it. */
it('delivers once what an urgent priority had settled ahead of others when an order began', async () => {
  const world = durableWorld();
  const receiver = new KeyedReceiver();
  const open = () => world.open({ webhookSink: () => receiver.sink });
  const bus = await open();
  const options = { maxConcurrency: 1, breaker: false, retryPolicy: fixedRetry(1_000, 300) };
  const { id } = await bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options });
  const { subscriptions } = bus.engine;
  const ofKey = { metadata: { orderingKey: 'a' } };
  await bus.time.run(subscriptions.pause(ANONYMOUS, id));
  await bus.publishMany(2, 1, ofKey);
  await bus.publishMany(1, 3, { ...ofKey, priority: 'CRITICAL' });
  const urgent = Promise.withResolvers<Outcome>();
  receiver.answer = () => urgent.promise;
  await bus.time.run(subscriptions.resume(ANONYMOUS, id));
  await bus.time.run(subscriptions.pause(ANONYMOUS, id));
  urgent.resolve(DELIVERED);
  await bus.time.advance(10);
  receiver.answer = ({ n }) => (n === 1 ? FAILED : DELIVERED);
  await change(bus, id, { order: 'key' });
  await bus.time.run(subscriptions.resume(ANONYMOUS, id));
  await bus.publishMany(1, 4, ofKey);
  await bus.time.advance(1_000);
  bus.crash();

  receiver.answer = () => DELIVERED;
  const next = await open();
  await next.settled();
  expect(receiver.firstOf('a')).toEqual([3, 1, 2, 4]);
  expect(receiver.seen.filter(({ n }) => n === 3)).toHaveLength(1);
  expect(next.status(id)).toMatchObject({ waiting: 0, owed: 0, blockedKeys: 0 });
  await next.close();
});

import { ANONYMOUS } from '@event-manager/core';
import { SeededChance, SimulatedShared, VirtualTime } from '@event-manager/testing';
import { expect, it } from 'vitest';
import { type EngineUnderTest, fixedRetry, openOn } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, FAILED, KeyedReceiver, publishKeys, REJECTED } from './keyed-receiver.ts';

/** Two processes on one store and one ordered webhook. */
async function start(onFailure: string) {
  const time = new VirtualTime();
  const shared = new SimulatedShared({ time, chance: new SeededChance(5), stallShare: 0, hintLossShare: 0 });
  const receiver = new KeyedReceiver();
  const dead = new Set<string>();
  const open = async (owner: string) => {
    const handle = shared.connect();
    const sink = receiver.sinkWhile(() => !dead.has(owner));
    const bus = await openOn(handle, time, { owner, webhookSink: () => sink });
    const kill = () => {
      dead.add(owner);
      bus.crash();
      handle.crash();
    };
    return { bus, kill };
  };
  const first = await open('a');
  const options = { order: 'key', onFailure, breaker: false, retryPolicy: fixedRetry(1_000, 500) };
  const { id } = await first.bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options });
  await time.runUntil(() => first.bus.engine.isServing(id));
  const second = await open('b');
  const served = (bus: EngineUnderTest) => time.runUntil(() => bus.engine.isServing(id));
  return { time, receiver, first, second, id, served };
}

it('keeps the order of a blocked key when another process takes over', async () => {
  const { time, receiver, first, second, id, served } = await start('block');
  receiver.answer = ({ key }) => (key === 'a' ? FAILED : DELIVERED);
  await publishKeys(first.bus, 'aabaa');
  await time.advance(1_000);
  first.kill();
  await publishKeys(second.bus, 'ab', 6);
  await served(second.bus);
  await time.advance(1_000);
  expect(receiver.firstOf('a')).toEqual([1]);
  receiver.answer = () => DELIVERED;
  await second.bus.settled();
  expect(receiver.firstOf('a')).toEqual([1, 2, 4, 5, 6]);
  expect(receiver.firstOf('b')).toEqual([3, 7]);
  expect(second.bus.status(id)).toMatchObject({ blockedKeys: 0, owed: 0 });
  await second.bus.close();
});

it('releases a parked key through a process that does not serve it', async () => {
  const { time, receiver, first, second, id } = await start('park');
  receiver.answer = ({ n }) => (n === 1 ? REJECTED : DELIVERED);
  await publishKeys(first.bus, 'aaba');
  await time.advance(1_000);
  expect(second.bus.engine.isServing(id)).toBe(false);
  const { keys } = second.bus.engine.subscriptions;
  expect(await time.run(keys.all(ANONYMOUS, id))).toMatchObject([{ key: 'a', state: 'parked', waiting: 2 }]);
  expect(await time.run(keys.release(ANONYMOUS, id, 'a'))).toMatchObject({ key: 'a', state: 'parked', waiting: 2 });
  await time.runUntil(() => receiver.of('a').length === 3, 30_000);
  expect(receiver.of('a')).toEqual(['1/1', '2/1', '4/1']);
  await time.advance(1_000);
  expect(await time.run(keys.all(ANONYMOUS, id))).toEqual([]);
  await first.bus.close();
  await second.bus.close();
});

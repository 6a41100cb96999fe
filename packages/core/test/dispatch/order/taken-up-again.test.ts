import { ANONYMOUS, EventManagerError, type StateChange } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld, fixedRetry } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, KeyedReceiver, publishKeys } from './keyed-receiver.ts';

/** Its slot was free by then, so nobody looked at the key again until another event came. */
it('tries a key again when the receiver lets go, though a refused change took the subscription out of service', async () => {
  const world = durableWorld();
  const { time, kept } = world;
  const receiver = new KeyedReceiver();
  const bus = await world.open({ webhookSink: () => receiver.sink });
  const options = { order: 'key', timeoutMs: 1_000, breaker: false, retryPolicy: fixedRetry(9, 100) };
  const { id } = await bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options });
  receiver.answer = ({ attempt }) => (attempt === 1 ? new Promise(() => {}) : DELIVERED);
  await publishKeys(bus, 'a');
  await time.advance(2_000);
  kept.interfere = (call, args) => {
    const changes = call === 'commit' ? (args[0] as StateChange[]) : [];
    if (changes.some(({ kind }) => kind === 'subscription')) throw new EventManagerError('disk_full', 'Full.');
  };
  const update = bus.engine.subscriptions.update(ANONYMOUS, id, { options: { maxConcurrency: 2 } });
  await expect(time.run(update)).rejects.toMatchObject({ code: 'disk_full' });
  await time.advance(60_000);
  expect(receiver.of('a')).toEqual(['1/1', '1/2']);
  await bus.close();
});

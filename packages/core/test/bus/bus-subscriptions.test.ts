import { expect, it } from 'vitest';
import { virtualBus } from './virtual-bus.ts';

it('leaves a group to the others, and to what it is owed, when a handler that has left is taken away again', async () => {
  const { bus, time } = virtualBus();
  const seen: number[] = [];
  const join = () => bus.subscribe('orders', ({ data }) => void seen.push(data['n']), { consumerGroup: 'billing' });
  const [first, second] = [await time.run(join()), await time.run(join())];
  await time.run(bus.unsubscribe(first));
  for (const id of [first, first, `${first}#9`]) {
    const again = time.run(bus.unsubscribe(id));
    await expect(again).rejects.toMatchObject({ code: 'subscription_not_found' });
  }
  await time.run(bus.publish('orders', 'order', { n: 1 }));
  await time.run(bus.unsubscribe(second));
  await time.run(bus.publish('orders', 'order', { n: 2 }));
  // Whoever joins later gets what came while nobody was there.
  const third = await time.run(join());
  await time.run(bus.settled());
  expect(seen).toEqual([1, 2]);
  await time.run(bus.unsubscribe(third));
  await time.run(bus.close());
});

it('is settled also when a subscription ends while it looks', async () => {
  const { bus, time } = virtualBus();
  for (const topic of ['a', 'b']) await time.run(bus.subscribe(topic, () => {}));
  const { eventManager } = bus;
  const look = eventManager.getSubscription.bind(eventManager);
  eventManager.getSubscription = async (id) => {
    await bus.unsubscribe(id);
    return look(id);
  };
  await time.run(bus.settled());
  await time.run(bus.close());
});

it('subscribes within the limits of its bus, or not at all', async () => {
  const { bus, time } = virtualBus({ limits: { topicCharactersMax: 2_000 } });
  const topic = 'long'.repeat(200);
  const seen: string[] = [];
  const id = await time.run(bus.subscribe(topic, (event) => void seen.push(event.topic)));
  await time.run(bus.publish(topic, 'said', {}));
  expect(seen).toEqual([topic]);
  await time.run(bus.unsubscribe(id));
  expect((await time.run(bus.getStats())).activeSubscriptions).toBe(0);
  await time.run(bus.close());
});

import { expect, it } from 'vitest';
import { durableWorld } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, KeyedReceiver, publishKeys } from './keyed-receiver.ts';

/** More events of one key than may wait in memory: the others wait in a range that is durable. */
const EVENTS = 8;

/** The first events of the key were in nobody's record: those behind them were taken for all of its debt. */
it('loses nothing of a key that has events under way, held and in its range when the process dies', async () => {
  const world = durableWorld();
  const receiver = new KeyedReceiver();
  const open = () => world.open({ webhookSink: () => receiver.sink, limits: { inFlightMax: 4 } });
  const bus = await open();
  const options = { order: 'key', maxConcurrency: 4, timeoutMs: 600_000, breaker: false };
  await bus.subscribe({ name: 'ordered', endpoint: ENDPOINT, options });
  receiver.answer = () => new Promise(() => {});
  await publishKeys(bus, 'a'.repeat(EVENTS));
  await bus.time.advance(5_000);
  expect(receiver.of('a')).toEqual(['1/1']);
  bus.crash();

  receiver.answer = () => DELIVERED;
  const next = await open();
  await next.settled();
  const attempted = receiver.of('a').map((entry) => Number(entry.split('/')[0]));
  expect(attempted).toEqual([1, ...Array.from({ length: EVENTS }, (_, at) => at + 1)]);
  await next.close();
});

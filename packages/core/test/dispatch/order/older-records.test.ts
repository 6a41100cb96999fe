import { ANONYMOUS, type JsonObject, type StateChange } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { queueKeys } from '../../../src/dispatch/serve.ts';
import { namedSubscriptionId } from '../../../src/subscription/catalog.ts';
import { durableWorld, fixedRetry } from '../../open-engine.ts';
import { DELIVERED, ENDPOINT, KeyedReceiver, publishKeys } from './keyed-receiver.ts';

/** A definition as 0.1 without order wrote it: byte for byte what such a data directory holds. */
const DEFINITION = {
  name: 'older',
  topic: '#',
  sink: { kind: 'webhook', endpoint: ENDPOINT },
  options: {
    batchSize: 1,
    maxConcurrency: 1,
    timeoutMs: 15_000,
    inFlightMax: 1_000,
    retry: { maxRetries: 3, backoffStrategy: 'fixed', initialDelay: 1_000, maxDelay: 1_000, jitter: false },
    startFrom: 'latest',
  },
  state: 'active',
  createdAtMs: 1_795_161_600_000,
  updatedAtMs: 1_795_161_600_000,
};
/** Position 1 is settled, 2 failed, 3 was settled ahead, 4 may have been under way; of LOW nothing was looked at. */
const LANES = [
  [5, 5, []],
  [5, 5, []],
  [2, 4, [[3, 3]]],
  [0, 0, []],
];
const OWED = {
  ...{ lane: 2, attempt: 1, failures: 1, round: 0, dueAt: 0, delay: 1_000, started: false, suspect: false },
  errors: [{ attempt: 1, atMs: 1, code: 'http_500', message: 'no' }],
};

async function olderWorld() {
  const world = durableWorld();
  const id = namedSubscriptionId('older');
  const keys = queueKeys(id, 0);
  const first = await world.open();
  for (const n of [1, 2, 3, 4]) await first.publish({ payload: { n }, metadata: { orderingKey: 'a' } });
  await first.publish({ payload: { n: 5 }, metadata: { orderingKey: 'a' }, priority: 'LOW' });
  await first.close();
  const changes: StateChange[] = [
    { kind: 'subscription', key: id, value: { id, ...DEFINITION } as unknown as JsonObject },
    { kind: 'progress', key: keys.progress, value: { lanes: LANES } as unknown as JsonObject },
    { kind: 'owed', key: keys.owed(2), value: OWED as unknown as JsonObject },
  ];
  await world.time.run(world.kept.kept.state.commit(changes));
  const receiver = new KeyedReceiver();
  return { world, id, receiver, open: () => world.open({ webhookSink: () => receiver.sink }) };
}

describe('records of a version without order', () => {
  it('load, and mean what they meant', async () => {
    const { receiver, open } = await olderWorld();
    const bus = await open();
    await bus.settled();
    expect(receiver.of('a').toSorted()).toEqual(['2/2', '4/2', '5/1']);
    await bus.close();
  });

  it('load when order was asked for while nobody served them: nothing is lost, nothing comes twice', async () => {
    const { world, id, receiver, open } = await olderWorld();
    const options = { ...DEFINITION.options, order: 'key' };
    const value = { id, ...DEFINITION, options } as unknown as JsonObject;
    await world.time.run(world.kept.kept.state.commit([{ kind: 'subscription', key: id, value }]));
    const bus = await open();
    await publishKeys(bus, 'a', 6);
    await bus.settled();
    expect(receiver.of('a').toSorted()).toEqual(['2/2', '4/2', '5/1', '6/1']);
    expect(receiver.firstOf('a').filter((n) => n > 2)).toEqual([4, 5, 6]);
    await bus.close();
  });

  it('are written so that a version without order understands them, and the way back loses nothing', async () => {
    const world = durableWorld();
    const receiver = new KeyedReceiver();
    const open = () => world.open({ webhookSink: () => receiver.sink });
    const bus = await open();
    const options = { order: 'key', maxConcurrency: 1, retryPolicy: fixedRetry(3) };
    const { id } = await bus.subscribe({ name: 'later', endpoint: ENDPOINT, options });
    const hold = Promise.withResolvers<typeof DELIVERED>();
    receiver.answer = ({ n }) => (n === 2 ? hold.promise : DELIVERED);
    for (const [at, priority] of (['LOW', 'HIGH', 'CRITICAL', 'NORMAL'] as const).entries()) {
      await bus.publish({ payload: { n: at + 1 }, metadata: { orderingKey: `k${at}` }, priority });
    }
    await bus.time.advance(300);
    bus.crash();
    const again = await open();
    await again.time.run(again.engine.subscriptions.update(ANONYMOUS, id, { options: { order: 'none' } }));
    receiver.answer = () => DELIVERED;
    await again.settled();
    const attempts = receiver.seen.map(({ n, attempt }) => `${n}/${attempt}`).toSorted();
    expect(attempts.filter((seen) => seen.startsWith('1'))).toEqual(['1/1']);
    expect(attempts.filter((seen) => seen.startsWith('2'))[0]).toBe('2/1');
    expect(new Set(receiver.seen.map(({ n }) => n))).toEqual(new Set([1, 2, 3, 4]));
    expect(new Set(attempts).size).toBe(attempts.length);
    await again.close();
  });
});

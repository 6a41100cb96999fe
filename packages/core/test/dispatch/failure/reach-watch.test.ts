import { ANONYMOUS, decodeEvent, type Sink } from '@event-manager/core';
import { expect, it } from 'vitest';
import { durableWorld } from '../../open-engine.ts';

const LOOK_MS = 15_000;
const DAY_MS = 24 * 60 * 60_000;

/** A connection that the test makes and loses. */
function aConnection() {
  let onChange = () => {};
  let isUp = true;
  const sink: Sink = {
    single: true,
    get isUp() {
      return isUp;
    },
    get realtime() {
      const lastError = { code: 'connection_refused', message: 'Nobody listens.' };
      return { connected: isUp, way: 'realtime' as const, switches: 0, ...(isUp ? {} : { lastError }) };
    },
    watch(changed) {
      onChange = changed;
    },
    deliver: (batch) => batch.map(() => ({ status: 'delivered' })),
    close: async () => {},
  };
  const set = (up: boolean) => {
    isUp = up;
    onChange();
  };
  return { sink, set };
}

async function aWorld() {
  const { time, open } = durableWorld();
  const connection = aConnection();
  const bus = await open({ systemEvents: true, webSocketSink: () => connection.sink });
  const request = { name: 's', topic: 'a', endpoint: 'wss://a.example/' };
  const { id } = await bus.subscribe(request);
  const told = async () => {
    const query = { topic: '$sys/subscription/#' };
    const { records } = await time.run(bus.engine.history.find(ANONYMOUS, query, { limit: 100, direction: 'forward' }));
    return records.map(({ topic, body }) => ({ topic: topic.slice(18), ...decodeEvent(body).payload }));
  };
  return { time, bus, id, connection, told };
}

/** Nothing is attempted, so nothing fails: nobody would hear that a receiver is away for days. */
it('tells once that a receiver we dial is away, and once that it is back', async () => {
  const { time, bus, id, connection, told } = await aWorld();
  connection.set(false);
  await bus.publishMany(3, 1, { topic: 'a' });
  await time.advance(2 * LOOK_MS + 1_000);
  const naming = { subscriptionId: id, name: 's', count: 1 };
  const away = { topic: 'unreachable', ...naming, lag: 3, code: 'connection_refused', reason: 'Nobody listens.' };
  expect(await told()).toMatchObject([away]);
  await time.advance(3 * DAY_MS);
  await time.run(bus.engine.subscriptions.update(ANONYMOUS, id, { options: { maxConcurrency: 2 } }));
  await time.advance(DAY_MS);
  expect(await told()).toHaveLength(1);
  connection.set(true);
  await time.advance(2 * LOOK_MS);
  expect(await told()).toMatchObject([away, { topic: 'reachable', ...naming, lag: 0 }]);
  expect(bus.status(id).counts.delivered).toBe(3);
  await bus.close();
});

it('tells of no short absence, and of none while nothing would be delivered anyway', async () => {
  const { time, bus, id, connection, told } = await aWorld();
  for (let loss = 0; loss < 5; loss++) {
    connection.set(false);
    await time.advance(LOOK_MS - 1_000);
    connection.set(true);
    await time.advance(LOOK_MS + 1_000);
  }
  await time.run(bus.engine.subscriptions.pause(ANONYMOUS, id));
  connection.set(false);
  await time.advance(DAY_MS);
  expect(await told()).toEqual([]);
  await bus.close();
});

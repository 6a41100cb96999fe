import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  BUS_WARNING,
  EventBus,
  EventReplayService,
  type HandlerFailure,
  InMemoryEventStore,
} from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { virtualBus } from './virtual-bus.ts';

function warnings(): string[] {
  const heard: string[] = [];
  const take = ({ name, message }: Error) => {
    if (name === BUS_WARNING) heard.push(message);
  };
  process.on('warning', take);
  onTestFinished(() => void process.off('warning', take));
  return heard;
}

const failNow = () => {
  throw new RangeError('no stock');
};

it.each([
  ['throws', failNow],
  ['rejects', async () => failNow()],
  ['answers with a failure', () => ({ success: false, error: new RangeError('no stock') })],
  [
    'says nack',
    (_event: unknown, { nack }: { nack(error: unknown): boolean }) => void nack(new RangeError('no stock')),
  ],
])('tells of each attempt of a handler that %s', async (_, handler) => {
  const told: [unknown, HandlerFailure][] = [];
  const { bus, time } = virtualBus({ onHandlerError: (error, failure) => told.push([error, failure]) });
  const heard = warnings();
  const id = await time.run(bus.subscribe('order.*', handler, { maxRetries: 1 }));
  await time.run(bus.publish('order.made', 'order.made', { n: 1 }));
  await time.run(bus.settled());
  const failure = { subscriptionId: id, topic: 'order.*', event: expect.objectContaining({ payload: { n: 1 } }) };
  expect(told).toEqual([1, 2].map((attempt) => [new RangeError('no stock'), { ...failure, attempt }]));
  expect(bus.getMetrics()).toMatchObject({ eventsProcessed: 0, handlerErrors: 2 });
  await time.run(bus.close());
  await nextTurn();
  expect(heard).toEqual([]);
});

it('warns once for each subscription where nobody listens, and of none that only does its work', async () => {
  const heard = warnings();
  await using bus = new EventBus();
  for (const topic of ['a', 'b']) await bus.subscribe(topic, failNow, { maxRetries: 0 });
  await bus.subscribe('#', () => {});
  for (const topic of ['a', 'b', 'a', 'b', 'c']) await bus.publish(topic, 'made');
  await bus.settled();
  await nextTurn();
  expect(heard).toHaveLength(2);
  expect(heard[0]).toMatch(
    /^The handler of "a" failed at made \(event [-0-9a-f]{36}, attempt 1\): RangeError: no stock\n {4}at /,
  );
  expect(heard[1]).toContain('The handler of "b" failed');
});

it('goes on when it is told by something that fails itself, or of something without words', async () => {
  const heard = warnings();
  const onHandlerError = () => {
    throw new TypeError('odd');
  };
  await using told = new EventBus({ onHandlerError });
  await using alone = new EventBus();
  for (const bus of [told, alone]) {
    const fail = () => {
      throw Object.create(null);
    };
    await bus.subscribe('a', fail, { maxRetries: 0 });
    await bus.publish('a', 'made');
    await bus.settled();
    expect(await bus.eventManager.listDeadLetters()).toHaveLength(1);
  }
  await nextTurn();
  expect(heard).toEqual(['onHandlerError failed: odd', expect.stringContaining('what was thrown has no text')]);
});

it('tells of an event that cannot be brought to its current version, too', async () => {
  const told: unknown[] = [];
  const upcasters = [{ type: 'made', from: '1.0', to: '2.0', upcast: failNow }];
  await using bus = new EventBus({ upcasters, onHandlerError: (error) => told.push((error as { code: string }).code) });
  await bus.subscribe('a', () => {}, { maxRetries: 0 });
  await bus.publish({ topic: 'a', type: 'made', version: '1.0' });
  await bus.settled();
  expect(told).toEqual(['upcast_failed']);
});

it('leaves what a replay failed with to whoever asked for the replay, and what was cut off to nobody', async () => {
  const told: unknown[] = [];
  const eventStore = new InMemoryEventStore();
  let isBroken = false;
  await using bus = new EventBus({ eventStore, onHandlerError: (error) => told.push(error) });
  await bus.subscribe('a', () => {
    if (isBroken) failNow();
  });
  await bus.publish('a', 'made');
  isBroken = true;
  expect(await new EventReplayService(eventStore).replayEvents({ bus })).toMatchObject({ failed: 1 });
  isBroken = false;
  // Nothing is ever said of this one: the end of the bus cuts it off.
  await bus.subscribe('a', () => {}, { autoAck: false, timeoutMs: 60_000 });
  await bus.publish('a', 'made');
  await bus.close();
  expect(told).toEqual([]);
});

it('takes nothing but a function', () => {
  expect(() => new EventBus({ onHandlerError: 'console' as never })).toThrow(
    /onHandlerError of an EventBus is a function/,
  );
});

import { getEventListeners } from 'node:events';
import {
  type BusSubscribeOptions,
  EventReplayService,
  InMemoryEventStore,
  memory,
  type ReplayProgress,
} from '@event-manager/core';
import { sampleEvents } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

function filled(count: number): Promise<InMemoryEventStore> {
  const store = new InMemoryEventStore();
  return store.append(sampleEvents(count)).then(() => store);
}

it('hands every event to a function, in order and marked, and tells how far it is', async () => {
  const store = await filled(1_200);
  const seen: number[] = [];
  const marks = new Set<string | undefined>();
  const progress: ReplayProgress[] = [];
  const report = await new EventReplayService(store).replayEvents({
    handler: async ({ data }, { replay, attempt }) => {
      seen.push(data.n);
      marks.add(replay?.id);
      expect(attempt).toBe(1);
    },
    onProgress: (now) => progress.push(now),
  });
  expect(seen).toEqual(Array.from({ length: 1_200 }, (_, n) => n));
  expect(marks).toEqual(new Set([report.id]));
  expect(report).toMatchObject({ replayed: 1_200, failed: 0, position: 1_200, isComplete: true, events: [] });
  expect(progress.map(({ replayed }) => replayed)).toEqual([500, 1_000, 1_200]);
});

it('takes the range, the topic and the types that are asked for', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime, eventStore: new InMemoryEventStore(100, { clock: time }) });
  for (const type of ['task_created', 'order.placed', 'task_deleted']) {
    await time.run(bus.publish({ type, topic: type.replace('_', '/'), data: {} }));
    await time.advance(1_000);
  }
  const service = new EventReplayService(bus.eventStore);
  const types = async (request: object) => (await service.replayEvents(request)).events.map(({ type }) => type);
  expect(await types({})).toEqual(['task_created', 'order.placed', 'task_deleted']);
  expect(await types({ topic: 'task.*' })).toEqual(['task_created', 'task_deleted']);
  expect(await types({ types: ['order.*'] })).toEqual(['order.placed']);
  const moment = new Date(time.wallMs() - 2_000);
  expect(await types({ from: moment })).toEqual(['order.placed', 'task_deleted']);
  expect(await types({ to: moment.toISOString() })).toEqual(['task_created']);
  expect(await types({ after: 2 })).toEqual(['task_deleted']);
  await expect(types({ from: 'yesterday' })).rejects.toMatchObject({ code: 'invalid_query' });
  await expect(types({ topics: 'task.*' })).rejects.toThrow('no option "topics"');
});

it('hands events to the handlers of a bus that want them, and leaves everything else of the bus as it is', async () => {
  const bus = keptBus({ eventStore: new InMemoryEventStore() });
  const received: unknown[] = [];
  const note =
    (who: string) =>
    (event: { data: { n: number } }, { replay }: { replay?: unknown }) => {
      received.push([who, event.data.n, replay !== undefined]);
    };
  for (const n of [1, 2]) await bus.publish({ type: 'task_created', topic: 'task/created', data: { n } });
  await bus.subscribe('task.*', note('all'));
  await bus.subscribe('task.*', note('second'), { filter: { payload: { n: 2 } } });
  await bus.subscribe('order.*', note('orders'));
  await bus.subscribe('task.*', note('member'), { consumerGroup: 'g' });
  await bus.subscribe('task.*', note('member'), { consumerGroup: 'g' });
  const left = await bus.subscribe('task.*', note('left'));
  await bus.unsubscribe(left);
  const report = await new EventReplayService(bus.eventStore).replayEvents({ bus });
  expect(report).toMatchObject({ replayed: 2, failed: 0 });
  expect(received).toEqual([
    ['all', 1, true],
    ['member', 1, true],
    ['all', 2, true],
    ['second', 2, true],
    ['member', 2, true],
  ]);
  expect((await bus.getStats()).publishedEvents).toBe(2);
});

it('goes on when a handler fails, and says which events it failed with', async () => {
  const store = await filled(3);
  const report = await new EventReplayService(store).replayEvents({
    handler: ({ data }) => {
      if (data.n === 0) throw new RangeError('no');
      return data.n === 1 ? { success: false, error: 'not now' } : undefined;
    },
  });
  expect(report).toMatchObject({ replayed: 1, failed: 2, isComplete: true });
  expect(report.failures).toMatchObject([
    { position: 1, error: new RangeError('no') },
    { position: 2, error: { message: 'not now' } },
  ]);
});

it('ends where it is told to, and goes on from there', async () => {
  const store = await filled(10);
  const ending = new AbortController();
  const seen: number[] = [];
  const handler = ({ data }: { data: { n: number } }) => {
    seen.push(data.n);
    if (data.n === 4) ending.abort();
  };
  const service = new EventReplayService(store);
  const report = await service.replayEvents({ handler, signal: ending.signal });
  expect(report).toMatchObject({ replayed: 5, position: 5, isComplete: false });
  expect(await service.replayEvents({ handler, after: report.position })).toMatchObject({ replayed: 5 });
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('hands an event to whoever was there when its turn came, however many a handler subscribes', async () => {
  const bus = keptBus({ eventStore: new InMemoryEventStore() });
  await bus.publish('tasks', 'task', { n: 1 });
  const calls: string[] = [];
  const ids: string[] = [];
  const multiply = async () => {
    calls.push('multiply');
    if (calls.length < 50) ids.push(await bus.subscribe('tasks', multiply));
    if (calls.length === 1) await bus.unsubscribe(ids[0]!);
  };
  ids.push(await bus.subscribe('tasks', () => void calls.push('last')));
  ids.unshift(await bus.subscribe('tasks', multiply));
  ids.reverse();
  await new EventReplayService(bus.eventStore).replayEvents({ bus });
  expect(calls).toEqual(['last', 'multiply']);
});

it('hands out what a live subscription would get, in whichever spelling that was asked for', async () => {
  const bus = keptBus({ eventStore: new InMemoryEventStore() });
  const options: BusSubscribeOptions[] = [
    { filters: { payload: { n: 2 } } },
    { minimumPriority: 'HIGH' } as BusSubscribeOptions,
    { consumer_group: 'g' } as BusSubscribeOptions,
    { consumerGroup: 'g' },
  ];
  const seen: string[] = [];
  const heard =
    (who: number) =>
    (event: { data: { n: number } }, { replay }: { replay?: unknown }) =>
      void seen.push(`${replay ? 'replayed' : 'live'} ${who < 2 ? who : 'g'} ${event.data.n}`);
  for (const [who, each] of options.entries()) await bus.subscribe('tasks', heard(who), each);
  await bus.publish('tasks', 'task', { n: 1 }, { priority: 'HIGH' });
  await bus.publish('tasks', 'task', { n: 2 });
  await bus.settled();
  const live = seen.splice(0);
  expect(live.toSorted()).toEqual(['live 0 2', 'live 1 1', 'live g 1', 'live g 2']);
  await new EventReplayService(bus.eventStore).replayEvents({ bus });
  expect(seen.toSorted()).toEqual(live.toSorted().map((line) => line.replace('live', 'replayed')));
});

it('comes to an end when it is told to, also before a handler that settles by word', async () => {
  const bus = keptBus({ eventStore: new InMemoryEventStore() });
  for (const n of [1, 2]) await bus.publish('tasks', 'task', { n });
  const ending = new AbortController();
  const before = getEventListeners(ending.signal, 'abort').length;
  await bus.subscribe('tasks', (_, context) => void context.ack(), { autoAck: false });
  await bus.subscribe('tasks', ({ data }) => void (data.n === 2 && ending.abort()));
  await bus.subscribe('tasks', (_, context) => void context.ack(), { autoAck: false });
  const service = new EventReplayService(bus.eventStore);
  await service.replayEvents({ bus, topic: 'tasks', signal: new AbortController().signal });
  const { signal } = new AbortController();
  await service.replayEvents({ bus, signal });
  expect(getEventListeners(signal, 'abort').length).toBe(before);
  const again = new AbortController();
  await bus.subscribe('tasks', () => again.abort());
  await bus.subscribe('tasks', (_, context) => void context.ack(), { autoAck: false });
  const report = await service.replayEvents({ bus, signal: again.signal });
  expect(report).toMatchObject({ replayed: 0, failed: 1, position: 1, isComplete: false });
});

it('looks no further than it was told, also where nothing is found', async () => {
  const store = await filled(1_200);
  const ending = new AbortController();
  let reads = 0;
  const read = store.read.bind(store);
  store.read = async (request) => {
    ending.abort();
    reads++;
    return { ...(await read({ ...request, limit: 100 })), records: [] };
  };
  const report = await new EventReplayService(store).replayEvents({ signal: ending.signal });
  expect([reads, report.isComplete]).toEqual([1, false]);
});

it.each([-1, 1.5, Number.NaN, '3' as never])('refuses to go on behind %s', async (after) => {
  const service = new EventReplayService(await filled(3));
  await expect(service.replayEvents({ after })).rejects.toMatchObject({
    code: 'invalid_query',
    details: { pointer: '/after' },
  });
});

it('says where an event stands that cannot be read', async () => {
  const store = await filled(2);
  await store.append([{ ...sampleEvents(1, 2)[0]!, body: Buffer.from('{"half') }]);
  const replay = new EventReplayService(store).replayEvents();
  await expect(replay).rejects.toMatchObject({ code: 'corrupt_record', details: { position: 3 } });
});

it('calls no handler any more of a bus that is closed', async () => {
  const store = new InMemoryEventStore();
  const bus = keptBus({ eventStore: store });
  for (const n of [1, 2, 3]) await bus.publish('tasks', 'task', { n });
  const seen: number[] = [];
  await bus.subscribe('tasks', async ({ data }) => {
    seen.push(data.n);
    await bus.close();
  });
  const replay = new EventReplayService(store).replayEvents({ bus });
  await expect(replay).rejects.toMatchObject({ code: 'closed' });
  expect(seen).toEqual([1]);
});

it.each([
  ['a store', () => new InMemoryEventStore()],
  ['the log', () => undefined],
])('ends with what was in %s when it began, whatever its handlers publish', async (_, makeStore) => {
  const bus = keptBus({ adapter: memory(), eventStore: makeStore() });
  for (let n = 0; n < 600; n++) await bus.publish('orders', 'order', { n });
  let audits = 0;
  await bus.subscribe('orders', async (__, { replay }) => void (replay && (await bus.publish('audits', 'audit', {}))));
  await bus.subscribe('audits', () => void audits++);
  const report = await new EventReplayService(bus.eventStore).replayEvents({ bus });
  expect(report).toMatchObject({ replayed: 600, failed: 0, isComplete: true, missing: 0 });
  expect(audits).toBe(600);
});

import {
  EventBus,
  EventManagerError,
  globalEventBus,
  InMemoryAdapter,
  InMemoryEventStore,
  memory,
} from '@event-manager/core';
import { afterEach, expect, it } from 'vitest';
import { virtualBus } from './virtual-bus.ts';

const open: EventBus[] = [];

function kept(made: EventBus): EventBus {
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((made) => made.close()));
});

it('delivers an event said by topic, type and payload, under all names that a handler may look for', async () => {
  const events = kept(new EventBus(memory(), 'tracker'));
  const received: unknown[] = [];
  const id = await events.subscribe('issue.events', (event) => {
    received.push([event.type, event.source, event.payload, event.data, event.metadata.correlationId]);
    expect(event.metadata.eventId).toBe(event.id);
  });
  const payload = { issueId: '123', from: 'TODO', to: 'IN_PROGRESS' };
  const options = { metadata: { correlationId: 'exec-456', userId: 'user-789' } };
  await events.publish('issue.events', 'issue.state.changed', payload, options);
  expect(received).toEqual([['issue.state.changed', 'tracker', payload, payload, 'exec-456']]);
  expect(await events.queryEventsByCorrelationId('exec-456')).toHaveLength(1);
  await events.unsubscribe(id);
  await events.publish('issue.events', 'issue.state.changed', payload);
  expect(received).toHaveLength(1);
});

it('delivers an event said as an object with data', async () => {
  const events = kept(new EventBus({ name: 'tasks' }));
  const received: unknown[] = [];
  await events.subscribe('*', (event) => void received.push([event.topic, event.data]));
  await events.publish({ type: 'task_created', topic: 'task/created', data: { id: '1' } });
  expect(received).toEqual([['task/created', { id: '1' }]]);
});

it('says which middleware kept an event back, and stores nothing of it', async () => {
  const events = kept(new EventBus());
  events.use(async (event, next) => {
    await next({ ...event, metadata: { ...event.metadata, tags: ['seen'] } });
  });
  events.use(function onlyTasks(event, next) {
    return event.type.startsWith('task_') ? next() : undefined;
  });
  const received: unknown[] = [];
  await events.subscribe('*', (event) => void received.push(event.metadata.tags));
  expect(await events.publish({ type: 'noise', data: {} })).toEqual({ filtered: true, by: 'onlyTasks' });
  await events.publish({ type: 'task_created', data: {} });
  expect(received).toEqual([['seen']]);
  expect((await events.getStats()).publishedEvents).toBe(1);
});

it('counts at once what went through it', async () => {
  const { bus, time } = virtualBus({ defaultSubscriptionOptions: { maxRetries: 0 } });
  bus.use(function onlyTasks(event, next) {
    return event.type === 'noise' ? undefined : next();
  });
  await time.run(bus.subscribe('tasks', () => time.wait(10)));
  await time.run(bus.subscribe('tasks', async () => Promise.reject(new TypeError('odd'))));
  bus.on('task.*', () => {});
  for (const type of ['created', 'created', 'deleted', 'noise']) await time.run(bus.publish('tasks', type, {}));
  await time.run(expect(bus.publish('tasks', '', {})).rejects.toMatchObject({ code: 'invalid_event' }));
  expect(bus.getMetrics()).toEqual({
    eventsPublished: 3,
    eventsFiltered: 1,
    publishErrors: 1,
    eventsProcessed: 3,
    handlerErrors: 3,
    averageProcessingTimeMs: 5,
    longestProcessingTimeMs: 10,
    eventsByType: { created: 2, deleted: 1 },
    activeSubscriptions: 2,
    listeners: 1,
  });
  expect(await time.run(bus.getStats())).toMatchObject({
    adapter: 'memory',
    publishedEvents: 3,
    filteredEvents: 1,
    failedEvents: 3,
    deadLetters: 3,
    activeSubscriptions: 2,
  });
  await time.run(bus.close());
});

it('counts nothing where it shall not', async () => {
  const events = kept(new EventBus({ enableMetrics: false }));
  await events.publish('a', 'b', {});
  expect(events.getMetrics()).toBeUndefined();
});

it('is not healthy once it is closed', async () => {
  const events = new EventBus();
  expect(await events.isHealthy()).toBe(true);
  await events.close();
  expect(await events.isHealthy()).toBe(false);
});

it('opens nothing until it is used', async () => {
  const adapter = new InMemoryAdapter();
  const events = kept(new EventBus(adapter));
  events.on('a', () => {});
  events.emit('a', {});
  events.getMetrics();
  await expect(adapter.store.bounds()).rejects.toMatchObject({ code: 'closed' });
  await events.publish('a', 'b', {});
  expect(await adapter.store.bounds()).toMatchObject([{ events: 1 }]);
});

it('is there for the whole process', async () => {
  expect(globalEventBus.getMetrics()).toMatchObject({ eventsPublished: 0, activeSubscriptions: 0 });
  const received: unknown[] = [];
  const id = await globalEventBus.subscribe('task/created', (event) => void received.push(event.data));
  await globalEventBus.publish({ type: 'task_created', topic: 'task/created', data: { id: '1' } });
  expect(received).toEqual([{ id: '1' }]);
  await globalEventBus.unsubscribe(id);
  await globalEventBus.close();
});

it('emits beside the engine: nothing of it is stored, and subscriptions see none of it', async () => {
  const told: unknown[] = [];
  const events = kept(new EventBus({ onListenerError: (error, name) => told.push([String(error), name]) }));
  const seen: unknown[] = [];
  await events.subscribe('#', () => void seen.push('subscription'));
  using _listening = events.on('task.*', (payload, name) => seen.push([name, payload]));
  events.once('task.*', () => {
    throw new TypeError('odd');
  });
  expect(events.emit('task.created', { id: '1' })).toBe(true);
  await events.emitAsync('task.created', { id: '2' });
  expect(seen).toEqual([
    ['task.created', { id: '1' }],
    ['task.created', { id: '2' }],
  ]);
  expect(told).toEqual([['TypeError: odd', 'task.created']]);
  events.off('task.*');
  expect(events.emit('task.created', {})).toBe(false);
  expect(await events.eventManager.getEvents()).toHaveLength(0);
});

it('shows the numbers of what works beside it, as long as that does', () => {
  const bus = new EventBus();
  const detach = bus.attachMetrics('pages', () => ({ open: 1 }));
  bus.attachMetrics('pages', () => ({ open: 2 }));
  expect(bus.getMetrics()?.parts).toEqual({ pages: { open: 1 }, 'pages 2': { open: 2 } });
  detach();
  expect(bus.getMetrics()?.parts).toEqual({ 'pages 2': { open: 2 } });
});

it('finds every event of a flow, also of one that takes several pages', async () => {
  const events = kept(new EventBus(new InMemoryAdapter({ maxHistorySize: 10_000 })));
  const metadata = { correlationId: 'long' };
  const publish = (_: unknown, n: number) => events.publish('steps', 'step.done', { n }, { metadata });
  await Promise.all(Array.from({ length: 2_500 }, publish));
  const flow = await events.queryEventsByCorrelationId('long');
  expect(flow.map(({ payload }) => payload.n)).toEqual(Array.from({ length: 2_500 }, (_, n) => n));
  expect(await events.queryEventsByCorrelationId('another')).toEqual([]);
});

it('lets everybody go who listens when it is closed', async () => {
  const bus = new EventBus();
  const seen: unknown[] = [];
  bus.on('a', (payload) => seen.push(payload));
  const iterating = (async () => {
    for await (const { payload } of bus.events('#')) seen.push(payload);
  })();
  await bus.close();
  await iterating;
  expect(bus.emit('a', { n: 1 })).toBe(false);
  expect([seen, bus.listenerCount()]).toEqual([[], 0]);
});

it('takes nothing more once it is closed that nobody would close', async () => {
  const bus = new EventBus();
  await bus.close();
  await bus.close();
  expect(() => bus.setEventStore(new InMemoryEventStore())).toThrow(expect.objectContaining({ code: 'closed' }));
  bus.setEventStore(undefined);
  await expect(bus.loadHandlers('./nothing.mjs')).rejects.toMatchObject({ code: 'closed' });
  await expect(bus.publish('a', 'b', {})).rejects.toMatchObject({ code: 'closed' });
});

it('closes while it opens, also when it cannot be opened', async () => {
  const opening = Promise.withResolvers<void>();
  const adapter = Object.assign(memory(), { open: () => opening.promise });
  const bus = new EventBus(adapter);
  const published = bus.publish('a', 'b', {});
  published.catch(() => {});
  const ended = bus.close();
  opening.reject(new EventManagerError('store_locked', 'Somebody has it.'));
  await expect(published).rejects.toMatchObject({ code: 'store_locked' });
  await ended;
});

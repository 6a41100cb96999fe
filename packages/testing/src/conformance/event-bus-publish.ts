import { describe, expect, it } from 'vitest';
import type { StartEventBus } from './event-bus-subject.ts';
import { until } from './until.ts';

const ID = '0198c0de-0000-7000-8000-00000000000a';

export function busPublishConformance(start: StartEventBus): void {
  describe('publishing', () => {
    shapes(start);
    answers(start);
    middleware(start);
  });
}

function shapes(start: StartEventBus): void {
  it('takes topic, type, payload and options', async () => {
    const bus = (await start()).bus({ name: 'tracker' });
    const seen: unknown[] = [];
    await bus.subscribe('issue.events', (event) => void seen.push(event));
    const payload = { issueId: '123', from: 'TODO', to: 'IN_PROGRESS' };
    const metadata = { correlationId: 'exec-456', userId: 'user-789', tags: ['a'] };
    await bus.publish('issue.events', 'issue.state.changed', payload, { metadata, priority: 'HIGH' });
    await until('it arrives', () => seen.length === 1);
    expect(seen).toMatchObject([
      {
        ...{ topic: 'issue.events', type: 'issue.state.changed', source: 'tracker', payload, data: payload },
        ...{ correlationId: 'exec-456', metadata },
      },
    ]);
    const [{ id, metadata: seenMetadata }] = seen as [{ id: string; metadata: { eventId: string } }];
    expect(seenMetadata.eventId).toBe(id);
  });

  it('takes an event with `data` or `payload`, and a topic made of its type where none is said', async () => {
    const bus = (await start()).bus();
    const seen: unknown[] = [];
    await bus.subscribe('#', ({ topic, data }) => void seen.push([topic, data]));
    await bus.publish({ type: 'task_created', topic: 'task/created', data: { id: '1' } });
    await bus.publish({ type: 'task.deleted', payload: { id: '2' } });
    await until('both arrive', () => seen.length === 2);
    expect(seen).toEqual([
      ['task/created', { id: '1' }],
      ['task.deleted', { id: '2' }],
    ]);
  });
}

function answers(start: StartEventBus): void {
  it('answers with the id, and says that an event is a duplicate', async () => {
    const bus = (await start()).bus();
    const event = { id: ID, type: 'order.placed', topic: 'orders', payload: { total: 12.5 } };
    expect(await bus.publish(event)).toMatchObject({ id: ID, duplicate: false });
    expect(await bus.publish(event)).toMatchObject({ id: ID, duplicate: true });
    const other = bus.publish({ ...event, payload: { total: 13 } });
    await expect(other).rejects.toMatchObject({ code: 'id_conflict' });
  });

  it('refuses what is no event, and keeps nothing of it', async () => {
    const bus = (await start()).bus();
    await expect(bus.publish('orders', '', {})).rejects.toMatchObject({ code: 'invalid_event' });
    await expect(bus.publish('orders.*', 'order.placed', {})).rejects.toMatchObject({ code: 'invalid_topic' });
    await expect(bus.publish(undefined as never)).rejects.toMatchObject({ code: 'invalid_event' });
    expect(await bus.eventManager.getEvents()).toHaveLength(0);
    expect(bus.getMetrics()).toMatchObject({ eventsPublished: 0, publishErrors: 3 });
  });

  it('keeps the order of one publisher', async () => {
    const bus = (await start()).bus();
    const seen: number[] = [];
    await bus.subscribe('orders', ({ payload }) => void seen.push(payload.number), { maxConcurrency: 1 });
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    await Promise.all(numbers.map((number) => bus.publish('orders', 'order.placed', { number })));
    await until('all arrive', () => seen.length === numbers.length);
    expect(seen).toEqual(numbers);
  });
}

function middleware(start: StartEventBus): void {
  it('passes through middleware, which changes an event, keeps it back or refuses it before it is stored', async () => {
    const bus = (await start()).bus();
    const seen: unknown[] = [];
    await bus.subscribe('orders', ({ payload }) => void seen.push(payload));
    bus.use((event, next) => next({ ...event, payload: { ...event.payload, region: 'eu' } }));
    bus.use(function noDrafts(event, next) {
      return event.type === 'order.drafted' ? undefined : next();
    });
    const leave = bus.use(function odd(event, next) {
      if (event.type === 'order.odd') throw new TypeError('odd');
      return next();
    });
    expect(await bus.publish('orders', 'order.drafted', {})).toEqual({ filtered: true, by: 'noDrafts' });
    await expect(bus.publish('orders', 'order.odd', {})).rejects.toThrow();
    await bus.publish('orders', 'order.placed', { number: 1 });
    leave();
    await bus.publish('orders', 'order.odd', { number: 2 });
    await until('two arrive', () => seen.length === 2);
    expect(seen).toEqual([
      { number: 1, region: 'eu' },
      { number: 2, region: 'eu' },
    ]);
    expect(await bus.eventManager.getEvents()).toHaveLength(2);
    expect(await bus.getStats()).toMatchObject({ publishedEvents: 2, filteredEvents: 1 });
  });
}

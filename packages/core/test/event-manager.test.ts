import { EventManager, EventManagerError, memory } from '@event-manager/core';
import { TestEventCollector } from '@event-manager/testing';
import { describe, expect, it } from 'vitest';
import { anEvent } from './open-engine.ts';

const ID = '0198c1f0-0000-7000-8000-000000000001';

describe('an event manager', () => {
  it('needs no options: a handler has seen the event when publish resolves', async () => {
    await using bus = new EventManager();
    const collector = new TestEventCollector();
    await bus.subscribe({ topic: 'order.*', handler: collector.handler });
    const { id, duplicate } = await bus.publish(anEvent({ payload: { total: 3 } }));
    expect(collector.assertEventEmitted('order.created', { times: 1 })).toMatchObject({ id, payload: { total: 3 } });
    expect(duplicate).toBe(false);
  });

  it('counts in a batch what was stored, what was known and what failed, each with its own answer', async () => {
    await using bus = new EventManager();
    await bus.publish(anEvent({ id: ID, timestamp: 0 }));
    const batch = [anEvent(), anEvent({ id: ID, timestamp: 0 }), { type: '', source: 'x' }];
    const result = await bus.publishBatch(batch);
    expect(result).toMatchObject({ stored: 1, duplicates: 1, failed: 1 });
    expect(result.results[2]).toBeInstanceOf(EventManagerError);
    expect(result.results[2]).toMatchObject({ code: 'invalid_event', details: { pointer: '/2/type' } });
  });

  it('gives an event by its id as it was published, and says when there is none', async () => {
    await using bus = new EventManager();
    const timestamp = new Date('2026-01-02T03:04:05.678Z');
    await bus.publish(anEvent({ id: ID, timestamp, topic: 'a.b', metadata: { tags: ['x'] } }));
    expect(await bus.getEvent(ID)).toMatchObject({ id: ID, timestamp, topic: 'a.b', metadata: { tags: ['x'] } });
    await expect(bus.getEvent('0198c1f0-0000-7000-8000-00000000ffff')).rejects.toMatchObject({
      code: 'event_not_found',
    });
  });

  it('pages through events by a cursor, in both directions, with queries in any spelling', async () => {
    await using bus = new EventManager();
    await bus.publishBatch([1, 2, 3, 4, 5].map((n) => anEvent({ payload: { n }, metadata: { userId: `u${n % 2}` } })));
    for (const direction of ['forward', 'backward'] as const) {
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await bus.getEvents({ user_id: 'u1' }, { limit: 2, direction, ...(cursor ? { cursor } : {}) });
        seen.push(...page.map((event) => event.payload['n']));
        cursor = page.nextCursor;
      } while (cursor);
      expect(seen).toEqual(direction === 'forward' ? [1, 3, 5] : [5, 3, 1]);
    }
  });

  it('refuses a batch that is no list, which would never be complete', async () => {
    await using events = new EventManager();
    for (const wrong of [{ type: 'a', source: 's' }, undefined, 'a']) {
      await expect(events.publishBatch(wrong as never)).rejects.toMatchObject({ code: 'invalid_event' });
    }
    expect(await events.publishBatch([])).toMatchObject({ results: [], stored: 0 });
  });

  it('refuses a stream by a field that nobody reads, which would be one of everything', async () => {
    await using events = new EventManager();
    await expect(events.stream({ topic: 'order.*' } as object)).rejects.toMatchObject({
      code: 'invalid_query',
      details: { pointer: '/topic' },
    });
    await expect(events.stream({ topics: 'order.*' as never })).rejects.toMatchObject({
      details: { pointer: '/topics' },
    });
  });

  it('refuses a page size, a cursor and a query that cannot be', async () => {
    await using bus = new EventManager();
    for (const limit of [0, 1_001, 1.5]) {
      await expect(bus.getEvents({}, { limit })).rejects.toMatchObject({ code: 'invalid_query' });
    }
    await expect(bus.getEvents({}, { cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_cursor' });
    await expect(bus.getEvents({ nonsense: 1 })).rejects.toMatchObject({ code: 'invalid_query' });
  });

  it('gives a subscription that can be looked at, changed, paused, resumed and ended', async () => {
    await using bus = new EventManager();
    const seen: string[] = [];
    const subscription = await bus.subscribe({ topic: '#', handler: (event) => void seen.push(event.type) });
    await bus.publish(anEvent({ type: 'a' }));
    await bus.pauseSubscription(subscription.id);
    await bus.publish(anEvent({ type: 'b' }));
    expect(await bus.getSubscription(subscription.id)).toMatchObject({
      state: 'paused',
      status: { served: true, waiting: 1, counts: { delivered: 1 } },
    });
    await bus.resumeSubscription(subscription.id);
    await bus.settled();
    await bus.updateSubscription(subscription.id, { topic: 'c' });
    await bus.publishBatch([anEvent({ type: 'c' }), anEvent({ type: 'd' })]);
    expect(await bus.listSubscriptions()).toMatchObject([{ id: subscription.id, topic: 'c' }]);
    await subscription.unsubscribe();
    await bus.publish(anEvent({ type: 'c' }));
    expect([seen, await bus.listSubscriptions()]).toEqual([['a', 'b', 'c'], []]);
  });

  it('ends a subscription that goes out of scope', async () => {
    await using bus = new EventManager();
    {
      await using _subscription = await bus.subscribe({ topic: '#', handler: () => {} });
      expect(await bus.listSubscriptions()).toHaveLength(1);
    }
    expect(await bus.listSubscriptions()).toEqual([]);
  });

  it('leaves a named subscription as it is when its handle goes out of scope', async () => {
    await using bus = new EventManager();
    const request = { topic: '#', name: 'kept' };
    {
      await using _handle = await bus.subscribe({ ...request, handler: () => {} });
    }
    await bus.publish(anEvent({ payload: { n: 1 } }));
    const collector = new TestEventCollector();
    await bus.subscribe({ ...request, handler: collector.handler });
    await bus.settled();
    collector.assertEventEmitted('order.created', { times: 1 });
  });

  it('detaches a handler from a named subscription, which goes on being owed', async () => {
    await using bus = new EventManager();
    const { id } = await bus.subscribe({ topic: '#', name: 'kept', handler: () => {} });
    await bus.detach(id);
    expect((await bus.getSubscription(id)).status.served).toBe(false);
    await expect(bus.detach('0198c1f0-0000-7000-8000-00000000ffff')).rejects.toMatchObject({
      code: 'subscription_not_found',
    });
  });

  it('hands events in batches to a batchHandler', async () => {
    await using bus = new EventManager();
    const batches: unknown[][] = [];
    await bus.subscribe({
      topic: '#',
      batchHandler: (events) => void batches.push(events.map((event) => event.payload['n'])),
      options: { batchSize: 3 },
    });
    await bus.publishBatch([1, 2, 3, 4, 5].map((n) => anEvent({ payload: { n } })));
    await bus.settled();
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it('refuses a handler beside a batchHandler, since one of them would never be called', async () => {
    await using bus = new EventManager();
    const subscribed = bus.subscribe({ topic: '#', handler: () => {}, batchHandler: () => {} });
    await expect(subscribed).rejects.toMatchObject({
      code: 'invalid_subscription',
      details: { pointer: '/batchHandler' },
    });
  });

  it('streams, and tells of its health and of dead letters', async () => {
    await using bus = new EventManager();
    const stream = await bus.stream({ topics: ['order.*'] });
    await bus.subscribe({ topic: '#', handler: () => ({ success: false, retry: false }) });
    await bus.publish(anEvent());
    await bus.settled();
    const [frame] = await stream.next();
    expect(frame).toMatchObject({ kind: 'event', record: { topic: 'order/created' } });
    expect(await bus.listDeadLetters()).toMatchObject([{ state: 'open', attempts: 1 }]);
    expect(await bus.getHealth()).toMatchObject({
      status: 'ok',
      head: 1,
      subscriptions: 1,
      adapter: { name: 'memory' },
    });
  });

  it('refuses everything once it is closed, and closing twice or unopened does nothing', async () => {
    const bus = new EventManager();
    await bus.publish(anEvent());
    await Promise.all([bus.close(), bus.close()]);
    const closed = { code: 'closed' };
    await expect(bus.publish(anEvent())).rejects.toMatchObject(closed);
    await expect(bus.subscribe({ topic: '#', handler: () => {} })).rejects.toMatchObject(closed);
    await expect(bus.getEvents()).rejects.toMatchObject(closed);
    await new EventManager().close();
  });

  it('opens its adapter with the first call, and asks again when that failed', async () => {
    const adapter = memory();
    const open = adapter.open.bind(adapter);
    let opened = 0;
    adapter.open = async () => {
      if (++opened === 1) throw new EventManagerError('store_locked', 'Another process has it.');
      return open();
    };
    await using bus = new EventManager({ adapter });
    expect(opened).toBe(0);
    await expect(bus.publish(anEvent())).rejects.toMatchObject({ code: 'store_locked' });
    await bus.publish(anEvent());
    await bus.publish(anEvent());
    expect(opened).toBe(2);
  });

  it('keeps what its adapter keeps: a named subscription goes on in the next manager', async () => {
    const adapter = memory();
    const seen: string[] = [];
    const subscribe = (bus: EventManager) =>
      bus.subscribe({ topic: '#', name: 's', handler: (event) => void seen.push(event.type) });
    const first = new EventManager({ adapter });
    await subscribe(first);
    await first.publish(anEvent({ type: 'a' }));
    await first.close();
    const between = new EventManager({ adapter });
    await between.publish(anEvent({ type: 'b' }));
    await between.close();
    await using last = new EventManager({ adapter });
    await subscribe(last);
    await last.settled();
    expect(seen).toEqual(['a', 'b']);
  });
});

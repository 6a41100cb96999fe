import type { Event, EventManager, SubscribeRequest } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'shop' };
const NOBODY = '0198c0de-0000-7000-8000-00000000000a';

export function subscribeConformance(start: StartEventManager): void {
  describe('subscriptions', () => {
    beginnings(start);
    ends(start);
    changes(start);
    refusals(start);
  });
}

function beginnings(start: StartEventManager): void {
  it('get every event acknowledged after they were made, and only what they match', async () => {
    const { events } = await start();
    const received: Event[] = [];
    await events.publish({ ...EVENT, payload: { number: 0 } });
    await events.subscribe({
      topic: 'order.*',
      filter: { sources: ['shop'] },
      handler: (event) => void received.push(event),
    });
    await events.publish({ ...EVENT, payload: { number: 1 }, metadata: { expiresAt: '2999-01-01T00:00:00Z' } });
    await events.publish({ ...EVENT, source: 'other', payload: { number: 2 } });
    await events.publish({ ...EVENT, topic: 'stock.changed', payload: { number: 3 } });
    await events.publish({ ...EVENT, payload: { number: 4 } });
    await until('both arrive', () => received.length === 2);
    expect(received.map(({ payload }) => payload['number'])).toEqual([1, 4]);
    const [event] = received;
    expect(event!.timestamp).toBeInstanceOf(Date);
    expect(event!.metadata.expiresAt).toEqual(new Date('2999-01-01T00:00:00Z'));
    expect(Object.isFrozen(event) && Object.isFrozen(event!.payload)).toBe(true);
  });

  it('are described, listed and counted', async () => {
    const { events } = await start();
    const { id, definition } = await events.subscribe({
      topic: 'order.*',
      name: 'audit',
      subscriber: 'books',
      filter: { priority: 'HIGH' },
      options: { timeout: 1_500, max_concurrency: 3, retryPolicy: { maxRetries: 1 } },
      handler() {},
    });
    expect(definition).toMatchObject({
      id,
      name: 'audit',
      subscriber: 'books',
      topic: 'order.*',
      state: 'active',
      options: { timeoutMs: 1_500, maxConcurrency: 3, batchSize: 1, startFrom: 'latest', retry: { maxRetries: 1 } },
    });
    expect(definition.filter).toBeDefined();
    await events.publish({ ...EVENT, priority: 'HIGH' });
    // Where processes share a store, serving begins with a lease.
    await until('it is served', async () => (await events.getSubscription(id)).status.served);
    expect(await events.getSubscription(id)).toMatchObject(definition);
    expect(await events.listSubscriptions()).toMatchObject([{ id, createdAtMs: definition.createdAtMs }]);
  });
}

function ends(start: StartEventManager): void {
  it('end when they are unsubscribed', async () => {
    const { events } = await start();
    const received: string[] = [];
    const unnamed = await events.subscribe({ topic: '#', handler: ({ id }) => void received.push(id) });
    const named = await events.subscribe({ topic: '#', name: 'n', handler: ({ id }) => void received.push(id) });
    await unnamed.unsubscribe();
    await events.unsubscribe(named.id);
    await events.publish(EVENT);
    expect(await events.listSubscriptions()).toEqual([]);
    expect(received).toEqual([]);
  });

  it('can be unsubscribed by their own handler', async () => {
    const { events } = await start();
    let calls = 0;
    const subscription = await events.subscribe({
      topic: '#',
      name: 'once',
      async handler() {
        calls++;
        await subscription.unsubscribe();
      },
    });
    await Promise.all([events.publish(EVENT), events.publish(EVENT), events.publish(EVENT)]);
    await until('it has ended', async () => (await events.listSubscriptions()).length === 0);
    expect(calls).toBe(1);
  });

  it('go on existing when they have a name: what they are owed waits', async () => {
    const opened = await start();
    const request = (received: string[]): SubscribeRequest => ({
      topic: '#',
      name: 'audit',
      handler: ({ id }) => void received.push(id),
    });
    const before: string[] = [];
    const { id } = await opened.events.subscribe(request(before));
    const first = await opened.events.publish(EVENT);
    await until('the first arrives', () => before.length === 1);
    await opened.events.detach(id);
    const second = await opened.events.publish(EVENT);
    const events = await opened.reopen();
    const third = await events.publish(EVENT);
    const after: string[] = [];
    expect((await events.subscribe(request(after))).id).toBe(id);
    await until('both arrive', () => after.length === 2);
    expect([before, after]).toEqual([[first.id], [second.id, third.id]]);
  });

  it('begin where they are told to', async () => {
    const { events } = await start();
    const published = [];
    for (let number = 0; number < 3; number++) published.push(await events.publish({ ...EVENT, payload: { number } }));
    const from = async (startFrom: 'earliest' | { cursor?: string; time?: string | number | Date }) => {
      const received: unknown[] = [];
      await events.subscribe({
        topic: '#',
        options: { startFrom },
        handler: ({ payload }) => void received.push(payload['number']),
      });
      return received;
    };
    const [all, rest] = [await from('earliest'), await from({ cursor: published[1]!.cursor })];
    await until('they arrive', () => all.length === 3 && rest.length === 1);
    expect({ all, rest }).toEqual({ all: [0, 1, 2], rest: [2] });
  });
}

function changes(start: StartEventManager): void {
  it('are left with `await using`: a named one stays', async () => {
    const { events } = await start();
    {
      await using _named = await events.subscribe({ topic: '#', name: 'stays', handler() {} });
      await using _unnamed = await events.subscribe({ topic: '#', handler() {} });
    }
    expect(await events.listSubscriptions()).toMatchObject([{ name: 'stays' }]);
  });

  it('wait while they are paused', async () => {
    const { events } = await start();
    const received: string[] = [];
    const { id } = await events.subscribe({ topic: '#', handler: (event) => void received.push(event.id) });
    expect(await events.pauseSubscription(id)).toMatchObject({ id, state: 'paused' });
    const published = await events.publish(EVENT);
    expect(await events.getSubscription(id)).toMatchObject({ state: 'paused' });
    expect(received).toEqual([]);
    expect(await events.resumeSubscription(id)).toMatchObject({ id, state: 'active' });
    await until('it arrives', () => received.length === 1);
    expect(received).toEqual([published.id]);
  });

  it('can be changed while they are served', async () => {
    const { events } = await start();
    const received: string[] = [];
    const { id } = await events.subscribe({ topic: 'a', handler: ({ type }) => void received.push(type) });
    const changed = await events.updateSubscription(id, { topic: 'b', options: { timeout_ms: 700 } });
    expect(changed).toMatchObject({ id, topic: 'b', options: { timeoutMs: 700 } });
    await events.publish({ type: 'a', source: 's' });
    await events.publish({ type: 'b', source: 's' });
    await until('one arrives', () => received.length > 0);
    expect(received).toEqual(['b']);
  });
}

function refusals(start: StartEventManager): void {
  const handler = () => {};
  it.each([
    [{ topic: 'a..b', handler }, 'invalid_pattern', '/topic'],
    [{ topic: 5, handler }, 'invalid_subscription', '/topic'],
    [{ topic: 'a', handler: 'x' }, 'invalid_subscription', '/handler'],
    [{ topic: 'a', handler, batchHandler: handler }, 'invalid_subscription', '/batchHandler'],
    [{ topic: 'a', handler, endpoint: 'https://example.com/' }, 'invalid_subscription', '/handler'],
    [{ topic: 'a', handler, colour: 'red' }, 'invalid_subscription', '/colour'],
    [{ topic: 'a', handler, filter: { colour: 'red' } }, 'invalid_filter', '/filter/colour'],
    [{ topic: 'a', handler, options: { batchSize: 0 } }, 'invalid_subscription', '/options/batchSize'],
    [{ topic: 'a', handler, options: { timeoutMs: 0 } }, 'invalid_subscription', '/options/timeoutMs'],
    [{ topic: 'a', handler, options: { startFrom: { cursor: 'x' } } }, 'invalid_cursor', '/options/startFrom/cursor'],
    [{ topic: 'a', handler, options: { rateLimit: -5 } }, 'invalid_subscription', '/options/rateLimit'],
    [{ topic: 'a' }, 'invalid_subscription', '/name'],
    ['a', 'invalid_subscription', ''],
  ] as [unknown, string, string][])('are refused: %o', async (request, code, pointer) => {
    const { events } = await start();
    const refused = events.subscribe(request as SubscribeRequest);
    await expect(refused).rejects.toMatchObject({ code, details: { pointer } });
    expect(await events.listSubscriptions()).toEqual([]);
  });

  it('refuse another definition under their name', async () => {
    const { events } = await start();
    await events.subscribe({ topic: 'a', name: 'n', handler });
    const refused = events.subscribe({ topic: 'b', name: 'n', handler });
    await expect(refused).rejects.toMatchObject({ code: 'subscription_conflict', details: { pointer: '/name' } });
  });

  it.each([
    ['unsubscribe', (events: EventManager) => events.unsubscribe(NOBODY)],
    ['detach', (events: EventManager) => events.detach(NOBODY)],
    ['getSubscription', (events: EventManager) => events.getSubscription(NOBODY)],
    ['updateSubscription', (events: EventManager) => events.updateSubscription(NOBODY, { topic: 'a' })],
    ['pauseSubscription', (events: EventManager) => events.pauseSubscription(NOBODY)],
    ['resumeSubscription', (events: EventManager) => events.resumeSubscription(NOBODY)],
  ])('that do not exist are not found: %s', async (_name, call) => {
    const { events } = await start();
    await expect(call(events)).rejects.toMatchObject({ code: 'subscription_not_found', kind: 'not-found' });
  });
}

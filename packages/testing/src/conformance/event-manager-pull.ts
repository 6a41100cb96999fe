import {
  type EventManager,
  type PulledDelivery,
  type PullOptions,
  type Subscription,
  systemRuntime,
} from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'shop' };
const NOBODY = '0198c0de-0000-7000-8000-00000000000a';

function asked(events: EventManager, options: object = {}): Promise<Subscription> {
  return events.subscribe({ name: 'batch', topic: '#', options });
}

async function publishMany(events: EventManager, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 1; number <= count; number++) {
    ids.push((await events.publish({ ...EVENT, payload: { number } })).id);
  }
  return ids;
}

const numbers = (deliveries: readonly PulledDelivery[]) =>
  deliveries.map(({ event, attempt }) => `${event.payload['number']}#${attempt}`);

/** Asks until it has so many: what is there comes at once, the rest when it is there. */
async function pullAll(events: EventManager, id: string, count: number): Promise<PulledDelivery[]> {
  const all: PulledDelivery[] = [];
  while (all.length < count) all.push(...(await events.pull(id, { max: count - all.length, waitMs: 5_000 })));
  return all;
}

/** Deliveries that are asked for, each under a lease. */
export function pullConformance(start: StartEventManager): void {
  describe('pulling', () => {
    asking(start);
    leases(start);
    refusals(start);
  });
}

function asking(start: StartEventManager): void {
  it('hands over what is owed, in order, and not more than was asked for', async () => {
    const { events } = await start();
    const { id, definition } = await asked(events);
    expect(definition.sink).toEqual({ kind: 'pull' });
    await publishMany(events, 5);
    const first = await events.pull(id, { max: 2 });
    expect(numbers(first)).toEqual(['1#1', '2#1']);
    expect(first[0]!.event).toMatchObject({ type: 'order.created', source: 'shop' });
    expect(Date.parse(first[0]!.leaseUntil)).toBeGreaterThan(systemRuntime.clock.wallMs());
    expect(numbers(await pullAll(events, id, 3))).toEqual(['3#1', '4#1', '5#1']);
    expect(await events.pull(id)).toEqual([]);
  });

  it('waits for what comes', async () => {
    const { events } = await start();
    const { id } = await asked(events);
    const waiting = events.pull(id, { waitMs: 20_000 });
    await until('somebody waits', async () => (await events.getSubscription(id)).status.members === 1);
    await publishMany(events, 1);
    expect(numbers(await waiting)).toEqual(['1#1']);
    expect(await events.pull(id, { waitMs: 10 })).toEqual([]);
  });

  it('gives up waiting when it is told to', async () => {
    const { events } = await start();
    const { id } = await asked(events);
    const ending = new AbortController();
    const waiting = events.pull(id, { waitMs: 30_000, signal: ending.signal });
    await until('somebody waits', async () => (await events.getSubscription(id)).status.members === 1);
    ending.abort();
    expect(await waiting).toEqual([]);
    await until('nobody waits', async () => (await events.getSubscription(id)).status.members === 0);
    await publishMany(events, 1);
    expect(numbers(await pullAll(events, id, 1))).toEqual(['1#1']);
  });

  it('hands each delivery to one of those who ask', async () => {
    const { events } = await start();
    const { id } = await asked(events);
    const published = await publishMany(events, 30);
    const all = (await Promise.all([10, 10, 10].map((count) => pullAll(events, id, count)))).flat();
    expect(all.map(({ event }) => event.id).sort()).toEqual([...published].sort());
    expect(await Promise.all(all.map((delivery) => delivery.ack()))).toEqual(all.map(() => true));
    await until('all are settled', async () => (await events.getSubscription(id)).status.lag === 0);
  });
}

function leases(start: StartEventManager): void {
  it('settles what is acknowledged, and only once', async () => {
    const { events } = await start();
    const { id } = await asked(events);
    await publishMany(events, 1);
    const [delivery] = await pullAll(events, id, 1);
    expect(await delivery!.ack()).toBe(true);
    // Its answer may have been lost on the way.
    expect(await delivery!.ack()).toBe(true);
    expect(await delivery!.nack()).toBe(false);
    const { status } = await events.getSubscription(id);
    expect(status).toMatchObject({ lag: 0, counts: { delivered: 1, failed: 0, stale: 1 } });
  });

  it('tries again what failed, and buries what shall not be', async () => {
    const { events } = await start();
    const { id } = await asked(events, { retryPolicy: { maxRetries: 1, initialDelay: 0, maxDelay: 0 } });
    await publishMany(events, 2);
    const [first, second] = await pullAll(events, id, 2);
    expect(await first!.nack({ error: 'the printer is out of paper' })).toBe(true);
    expect(await second!.nack({ retry: false, error: 'never' })).toBe(true);
    const [again] = await pullAll(events, id, 1);
    expect(numbers([again!])).toEqual(['1#2']);
    expect(again!.delivery).not.toBe(first!.delivery);
    await again!.ack();
    const letters = await events.listDeadLetters(id);
    expect(letters).toMatchObject([{ attempts: 1, errors: [{ code: 'receiver_error', message: 'never' }] }]);
  });

  it('hands over again what was not answered in time: a higher attempt, no failure, and the old answer is too late', async () => {
    const { events } = await start();
    const { id } = await asked(events, { timeoutMs: 40, retryPolicy: { maxRetries: 0 } });
    await publishMany(events, 1);
    const [late] = await pullAll(events, id, 1);
    const [again] = await pullAll(events, id, 1);
    expect(numbers([late!, again!])).toEqual(['1#1', '1#2']);
    expect(await late!.ack()).toBe(false);
    expect(await late!.extend()).toBe(false);
    // Without a retry left, one failure would have made a dead letter of it.
    expect(await events.listDeadLetters(id)).toEqual([]);
  });

  it('keeps what is extended', async () => {
    const { events } = await start();
    const { id } = await asked(events, { timeoutMs: 1_500 });
    await publishMany(events, 1);
    const [delivery] = await pullAll(events, id, 1);
    const { leaseUntil } = delivery!;
    // Together longer than a lease.
    for (let waits = 0; waits < 20; waits++) {
      expect(await delivery!.extend()).toBe(true);
      expect(await events.pull(id, { waitMs: 100 })).toEqual([]);
    }
    expect(Date.parse(delivery!.leaseUntil)).toBeGreaterThan(Date.parse(leaseUntil));
    expect(await delivery!.ack()).toBe(true);
  });
}

function refusals(start: StartEventManager): void {
  it.each([
    [{ max: 0 }, '/max'],
    [{ max: 1_001 }, '/max'],
    [{ waitMs: -1 }, '/waitMs'],
    [{ waitMs: 30_001 }, '/waitMs'],
    [{ colour: 'red' }, '/colour'],
  ])('is refused: %o', async (options, pointer) => {
    const { events } = await start();
    const { id } = await asked(events);
    await expect(events.pull(id, options as PullOptions)).rejects.toMatchObject({
      code: 'invalid_request',
      details: { pointer },
    });
  });

  it('is for subscriptions that exist and have no other way out', async () => {
    const { events } = await start();
    const { id } = await events.subscribe({ topic: '#', name: 'pushed', handler() {} });
    await expect(events.pull(id)).rejects.toMatchObject({ code: 'not_supported' });
    await expect(events.pull(NOBODY)).rejects.toMatchObject({ code: 'subscription_not_found' });
  });

  it('goes on with a subscription that is asked for again under its name', async () => {
    const opened = await start();
    const { id } = await asked(opened.events);
    await publishMany(opened.events, 2);
    const [leased] = await pullAll(opened.events, id, 1);
    expect(numbers([leased!])).toEqual(['1#1']);
    const events = await opened.reopen();
    expect((await asked(events)).id).toBe(id);
    const conflict = events.subscribe({ topic: 'other', name: 'batch' });
    await expect(conflict).rejects.toMatchObject({ code: 'subscription_conflict' });
  });
}

import type { Event, RealtimeRequest } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'alarm.rang', source: 'house', priority: 'CRITICAL' } as const;

/** Streams that come to the program that asks for them; those with an endpoint need somebody to be dialled. */
export function realtimeConformance(start: StartEventManager): void {
  describe('realtime streams', () => {
    handlers(start);
    endings(start);
  });
}

function handlers(start: StartEventManager): void {
  it('come to their handlers, each of which sees what the one before returned', async () => {
    const { events } = await start();
    const seen: unknown[] = [];
    const stream = await events.createRealtimeStream({ topic: 'alarm.*' });
    stream.onEvent((event) => ({ ...event, seen: [1] }));
    stream.onEvent((event) => void seen.push([event.type, (event as Event & { seen?: unknown }).seen]));
    await events.publish(EVENT);
    await until('it came', () => seen.length === 1);
    expect(seen).toEqual([['alarm.rang', [1]]]);
    expect(stream.isConnected()).toBe(true);
  });

  it('can be used before they are open, and wait for their first handler', async () => {
    const { events } = await start();
    const opening = events.createRealtimeStream({ subscriberId: 'aas' });
    expect(opening.isConnected()).toBe(false);
    const stream = await opening;
    const published = events.publish(EVENT);
    const seen: string[] = [];
    opening.onEvent((event) => void seen.push(event.type));
    await published;
    await until('it came', () => seen.length === 1);
    expect(stream.subscription.definition).toMatchObject({ topic: '#', subscriber: 'aas' });
    expect(opening.isConnected()).toBe(true);
  });

  it('take filter, options and fields of the subscription in one object', async () => {
    const { events } = await start();
    const stream = await events.setupRealtimeStream('aas', {
      ...{ topic: 'alarm.*', priority: ['CRITICAL'], exclude_types: ['alarm.test'] },
      ...{ heartbeatInterval: 30_000, compressionEnabled: true, deadLetterTopic: 'dead.aas' },
    });
    expect(stream.subscription.definition).toMatchObject({
      subscriber: 'aas',
      topic: 'alarm.*',
      filter: { priority: [0], excludeTypes: ['alarm.test'] },
      options: { deadLetterTopic: 'dead.aas' },
    });
  });
}

function endings(start: StartEventManager): void {
  it('end when they are closed, and a handler that was taken away is not called', async () => {
    const { events } = await start();
    const seen: string[] = [];
    const stream = await events.createRealtimeStream({ topic: 'alarm.*' });
    const takeAway = stream.onEvent(() => void seen.push('first'));
    stream.onEvent(() => void seen.push('second'));
    takeAway();
    await events.publish(EVENT);
    await until('it came', () => seen.length === 1);
    await stream.close();
    await stream.close();
    expect(stream.isConnected()).toBe(false);
    await expect(events.getSubscription(stream.subscription.id)).rejects.toMatchObject({
      code: 'subscription_not_found',
    });
    expect(seen).toEqual(['second']);
  });

  it('with a name outlive their closing', async () => {
    const { events } = await start();
    const stream = await events.createRealtimeStream({ name: 'alarms', topic: 'alarm.*' });
    await stream.close();
    expect((await events.getSubscription(stream.subscription.id)).name).toBe('alarms');
  });

  it('try again what a handler throws on, and give up what it refuses', async () => {
    const { events } = await start();
    const attempts: string[] = [];
    const options = { retryPolicy: { maxRetries: 3, initialDelay: 1 } };
    const stream = await events.createRealtimeStream({ topic: 'alarm.*', options });
    stream.onEvent(({ payload }) => {
      attempts.push(String(payload['what']));
      if (payload['what'] === 'throws' && attempts.length < 2) throw new TypeError('not yet');
      return payload['what'] === 'refused' ? { success: false, retry: false, error: 'no' } : undefined;
    });
    await events.publish({ ...EVENT, payload: { what: 'throws' } });
    await until('it came', () => attempts.length === 2);
    await events.publish({ ...EVENT, payload: { what: 'refused' } });
    await until('it came', async () => (await events.listDeadLetters(stream.subscription.id)).length === 1);
    expect(attempts).toEqual(['throws', 'throws', 'refused']);
  });

  it('refuse what no stream can be', async () => {
    const { events } = await start();
    const codeOf = (request: unknown) => expect(events.createRealtimeStream(request as RealtimeRequest)).rejects;
    await codeOf({ endpoint: 'https://example.com/' }).toMatchObject({ code: 'invalid_endpoint' });
    await codeOf({ colour: 'red' }).toMatchObject({ code: 'invalid_subscription' });
    await codeOf(undefined).toMatchObject({ code: 'invalid_subscription' });
    await expect(events.setupRealtimeStream('aas', { colour: 'red' })).rejects.toMatchObject({
      code: 'invalid_subscription',
      details: { pointer: '/colour' },
    });
  });
}

import type { EventManager, WhyReason } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const NOBODY = '01890a5d-ac96-774b-bcce-b302099a8057';
const EVENT = { type: 'order.created', source: 'shop', payload: { total: 7 } };

/** Why an event did or did not come. */
export function whyConformance(start: StartEventManager): void {
  describe('why an event did or did not come', () => {
    everywhere(start);
    it('names the clause of a filter, with what the event has there', async () => {
      const { events } = await start();
      const filter = { payload: { total: { numeric: ['>', 10] } } };
      const { id } = await events.subscribe({ topic: '#', name: 'large', filter, handler: () => {} });
      const { id: eventId } = await events.publish(EVENT);
      await until('it is passed over', () => isWhy(events, id, eventId, 'filter_not_matched'));
      const answer = await events.why(id, eventId);
      expect(answer).toMatchObject({ subscriptionId: id, eventId, status: 'not-wanted', certain: true });
      expect(answer.facts).toEqual({ clause: '/payload/total', wanted: { numeric: ['>', 10] }, found: 7 });
    });

    it('tells every attempt with its error, and when it is tried again', async () => {
      const { events } = await start();
      const retryPolicy = {
        maxRetries: 3,
        backoffStrategy: 'fixed',
        initialDelay: 50,
        maxDelay: 50,
        jitter: false,
      } as const;
      let isFailing = true;
      const handler = () => (isFailing ? { success: false, error: 'not now' } : undefined);
      const { id } = await events.subscribe({ topic: '#', name: 'moody', handler, options: { retryPolicy } });
      const { id: eventId } = await events.publish(EVENT);
      await until('it failed', () => isWhy(events, id, eventId, 'retry_waits'));
      isFailing = false;
      await until('it is delivered', () => isWhy(events, id, eventId, 'delivered'));
      const answer = await events.why(id, eventId);
      const whats = answer.timeline.map(({ what }) => what);
      expect([whats[0], whats.includes('failed'), whats.at(-1)]).toEqual(['published', true, 'delivered']);
      expect(answer.timeline.find(({ what }) => what === 'failed')!.error!.message).toBe('not now');
    });

    it('answers for an event that nobody knows, and not for a subscription that nobody knows', async () => {
      const { events } = await start();
      const { id } = await events.subscribe({ topic: '#', name: 's', handler: () => {} });
      expect(await events.why(id, NOBODY)).toMatchObject({
        reason: 'unknown_event',
        status: 'unknown',
        certain: false,
      });
      await expect(events.why(NOBODY, NOBODY)).rejects.toMatchObject({ code: 'subscription_not_found' });
      await expect(events.listDeliveries(NOBODY)).rejects.toMatchObject({ code: 'event_not_found' });
    });
  });
}

/** At every subscription, and what would be if there were one. */
function everywhere(start: StartEventManager): void {
  it('says it in short for every subscription whose pattern matches', async () => {
    const { events } = await start();
    const { id: taking } = await events.subscribe({ topic: 'order/#', name: 'taking', handler: () => {} });
    const { id: waiting } = await events.subscribe({ topic: '#', name: 'waiting' });
    const { id: other } = await events.subscribe({ topic: 'invoice/#', name: 'other', handler: () => {} });
    const { id: eventId } = await events.publish(EVENT);
    await until('it is delivered', () => isWhy(events, taking, eventId, 'delivered'));
    const { deliveries, notMatching } = await events.listDeliveries(eventId);
    const reasons = Object.fromEntries(deliveries.map(({ subscriptionId, reason }) => [subscriptionId, reason]));
    expect(reasons).toEqual({ [taking]: 'delivered', [waiting]: 'not_pulled' });
    expect(notMatching).toBe(1);
    const all = await events.listDeliveries(eventId, { all: true });
    expect(all.deliveries.find(({ subscriptionId }) => subscriptionId === other)!.reason).toBe('topic_not_matched');
  });

  it('previews what a pattern and a filter match of what is stored', async () => {
    const { events } = await start();
    for (let total = 1; total <= 9; total++) await events.publish({ ...EVENT, payload: { total } });
    await events.publish({ ...EVENT, type: 'invoice.sent' });
    const filter = { payload: { total: { numeric: ['>', 6] } } };
    const preview = await events.previewFilter({ topic: 'order/#', filter, sample: 2 });
    expect(preview).toMatchObject({ looked: 9, matched: 3, complete: true });
    expect([preview.matching.length, preview.notMatching.length]).toEqual([2, 2]);
    expect(preview.notMatching[0]).toMatchObject({
      clause: '/payload/total',
      wanted: { numeric: ['>', 6] },
      found: 6,
    });
    const first = await events.previewFilter({ topic: 'order/#', filter, limit: 4, direction: 'forward' });
    expect(first).toMatchObject({ looked: 4, matched: 0, complete: false });
    const rest = await events.previewFilter({
      ...{ topic: 'order/#', filter, direction: 'forward', cursor: first.nextCursor },
    });
    expect(rest).toMatchObject({ looked: 5, matched: 3, complete: true });
    await expect(events.previewFilter({ filter: { colour: 'red' } })).rejects.toMatchObject({
      code: 'invalid_filter',
    });
    await expect(events.previewFilter({ limit: 0 })).rejects.toMatchObject({ code: 'invalid_query' });
  });
}

async function isWhy(events: EventManager, id: string, eventId: string, reason: WhyReason): Promise<boolean> {
  return (await events.why(id, eventId)).reason === reason;
}

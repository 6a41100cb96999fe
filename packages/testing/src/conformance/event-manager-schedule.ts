import type { EventIn } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.reminded', source: 'shop', payload: { order: 7 } };
const ID = '0198c0de-0000-7000-8000-00000000000a';
const HOUR_MS = 60 * 60 * 1_000;
const SOON_MS = 50;

/** Events for later: `deliverAt` and `delayMs`. */
export function scheduleConformance(start: StartEventManager): void {
  describe('events for later', () => {
    itDelivers(start);
    itCancels(start);
    itRefuses(start);
  });
}

function itDelivers(start: StartEventManager): void {
  it('delivers them when their time has come, under the id that was acknowledged', async () => {
    const { events } = await start();
    const got: string[] = [];
    await events.subscribe({ topic: 'order.#', handler: (event) => void got.push(event.id) });
    const soon = await events.publish({ ...EVENT, delayMs: SOON_MS });
    const later = await events.publish({ ...EVENT, deliverAt: new Date(Date.UTC(2099, 0, 1)) });
    expect([soon.duplicate, Date.parse(later.scheduledFor!) > Date.parse(soon.scheduledFor!)]).toEqual([false, true]);
    await until('the event is delivered', () => got.length > 0);
    expect(got).toEqual([soon.id]);
    expect(await events.getEvent(soon.id)).toMatchObject({ ...EVENT, id: soon.id });
    expect((await events.listScheduled()).map(({ id }) => id)).toEqual([later.id]);
    await expect(events.getEvent(later.id)).rejects.toMatchObject({ code: 'event_not_found' });
  });

  it('shows them, the earliest first, and each with its event', async () => {
    const { events } = await start();
    const at = (hours: number) => new Date(Date.UTC(2099, 0, 1, hours));
    const { results, scheduled, stored } = await events.publishBatch([
      { ...EVENT, deliverAt: at(3) },
      { ...EVENT, metadata: { deliverAt: at(1), priority: 'mine' } },
      EVENT,
    ]);
    expect([scheduled, stored]).toEqual([2, 1]);
    const [third, first] = results as readonly { id: string; scheduledFor: string }[];
    const all = await events.listScheduled();
    expect(all.map(({ id, scheduledFor }) => [id, scheduledFor])).toEqual([
      [first!.id, at(1).toISOString()],
      [third!.id, at(3).toISOString()],
    ]);
    const one = await events.getScheduled(first!.id);
    expect(one).toMatchObject({ ...all[0], type: EVENT.type, topic: 'order/reminded', priority: 'NORMAL' });
    expect(one.event.timestamp).toBeInstanceOf(Date);
    expect(one.event).toMatchObject({ id: first!.id, payload: EVENT.payload, metadata: { priority: 'mine' } });
    expect(one.event.metadata).not.toHaveProperty('deliverAt');
  });
}

function itCancels(start: StartEventManager): void {
  it('cancels in time, and says when it came too late or nothing is known', async () => {
    const { events } = await start();
    await events.publish({ ...EVENT, id: ID, delayMs: HOUR_MS });
    expect(await events.cancelScheduled(ID.toUpperCase())).toBe(true);
    expect(await events.listScheduled()).toEqual([]);
    const calls = [
      () => events.cancelScheduled(ID),
      () => events.getScheduled(ID),
      () => events.cancelScheduled('nonsense'),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: 'scheduled_not_found', kind: 'not-found' });
    }
    await events.publish({ ...EVENT, id: ID });
    expect(await events.cancelScheduled(ID)).toBe(false);
  });
}

function itRefuses(start: StartEventManager): void {
  it('answers a repetition as a duplicate, and other content under the id as a conflict', async () => {
    const { events } = await start();
    const first = await events.publish({ ...EVENT, id: ID, delayMs: HOUR_MS });
    for (const event of [
      { ...EVENT, id: ID, delayMs: HOUR_MS },
      { ...EVENT, id: ID },
    ]) {
      expect(await events.publish(event)).toMatchObject({ id: ID, duplicate: true, scheduledFor: first.scheduledFor });
    }
    const other = events.publish({ ...EVENT, id: ID, payload: { order: 8 } });
    await expect(other).rejects.toMatchObject({ code: 'id_conflict' });
  });

  it.each([
    [{ deliverAt: 'tomorrow' }, '/deliverAt'],
    [{ delayMs: -1 }, '/delayMs'],
    [{ deliverAt: 5, delayMs: 5 }, '/delayMs'],
    [{ delayMs: 5, metadata: { delayMs: 5 } }, '/metadata/delayMs'],
  ])('refuses %j', async (fields, pointer) => {
    const { events } = await start();
    const refused = events.publish({ ...EVENT, ...fields } as EventIn);
    await expect(refused).rejects.toMatchObject({ code: 'invalid_event', details: { pointer } });
  });
}

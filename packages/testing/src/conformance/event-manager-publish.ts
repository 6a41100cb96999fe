import type { EventIn } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';

const EVENT = { type: 'order.created', source: 'shop', payload: { total: 12.5 } };
const ID = '0198c0de-0000-7000-8000-00000000000a';

export function publishConformance(start: StartEventManager): void {
  describe('publishing', () => {
    one(start);
    several(start);
  });
}

function one(start: StartEventManager): void {
  it('answers with the id and the cursor behind the event', async () => {
    const { events } = await start();
    const { id, cursor, duplicate } = await events.publish(EVENT);
    expect({ version: id[14], duplicate }).toEqual({ version: '7', duplicate: false });
    const stream = await events.stream({ from: cursor });
    const next = await events.publish(EVENT);
    expect(await stream.next()).toMatchObject([{ event: { id: next.id } }]);
    stream.close();
  });

  it('says that an event is a duplicate, and refuses another one under its id', async () => {
    const { events } = await start();
    const first = await events.publish({ ...EVENT, id: ID });
    expect(await events.publish({ ...EVENT, id: ID })).toMatchObject({
      id: ID,
      duplicate: true,
      cursor: first.cursor,
    });
    const other = events.publish({ ...EVENT, id: ID, payload: { total: 13 } });
    await expect(other).rejects.toMatchObject({ code: 'id_conflict', kind: 'conflict', retryable: false });
  });

  it.each([
    [{ ...EVENT, type: '' }, 'invalid_event', '/type'],
    [{ ...EVENT, source: 5 }, 'invalid_event', '/source'],
    [{ ...EVENT, id: 'mine' }, 'invalid_event', '/id'],
    [{ ...EVENT, payload: [] }, 'invalid_event', '/payload'],
    [{ ...EVENT, payload: { a: { 'b/c': Number.NaN } } }, 'invalid_event', '/payload/a/b~1c'],
    [{ ...EVENT, payload: { text: '\ud800' } }, 'invalid_event', '/payload/text'],
    [{ ...EVENT, priority: 'URGENT' }, 'invalid_event', '/priority'],
    [{ ...EVENT, colour: 'red' }, 'invalid_event', '/colour'],
    [{ ...EVENT, metadata: { tags: 'a' } }, 'invalid_event', '/metadata/tags'],
    [{ ...EVENT, topic: 'order..created' }, 'invalid_topic', '/topic'],
    [{ ...EVENT, topic: '$sys/x' }, 'topic_reserved', '/topic'],
    ['event', 'invalid_event', ''],
    [nested(70), 'too_deep', undefined],
    [{ ...EVENT, payload: { text: 'x'.repeat(300_000) } }, 'event_too_large', undefined],
  ] as [unknown, string, string | undefined][])('refuses a bad event: %#', async (event, code, pointer) => {
    const { events } = await start();
    const details = pointer === undefined ? {} : { details: { pointer } };
    await expect(events.publish(event as EventIn)).rejects.toMatchObject({
      name: 'EventManagerError',
      code,
      ...details,
    });
    expect(await events.getEvents()).toHaveLength(0);
  });

  it('takes what is nested as deeply as it may be', async () => {
    const { events } = await start();
    await expect(events.publish(nested(63))).resolves.toMatchObject({ duplicate: false });
  });
}

function several(start: StartEventManager): void {
  it('stores the good events of a batch, in order, and says what is wrong with each bad one', async () => {
    const { events } = await start();
    const bad = { type: 'order.created', source: '' };
    const batch = await events.publishBatch([{ ...EVENT, id: ID }, bad, { ...EVENT, id: ID }, EVENT]);
    expect(batch).toMatchObject({ stored: 2, duplicates: 1, failed: 1 });
    const [first, second, third] = batch.results;
    expect(first).toMatchObject({ id: ID, duplicate: false });
    expect(second).toMatchObject({ code: 'invalid_event', details: { pointer: '/1/source' } });
    expect(third).toMatchObject({ id: ID, duplicate: true });
  });

  it('refuses a batch that is too large as a whole', async () => {
    const { events } = await start();
    const refused = events.publishBatch(Array.from({ length: 10_001 }, () => EVENT));
    await expect(refused).rejects.toMatchObject({ code: 'batch_too_large', details: { limit: 10_000 } });
    expect(await events.getEvents()).toHaveLength(0);
  });

  it('keeps the order of one publisher', async () => {
    const { events } = await start();
    const numbers = Array.from({ length: 500 }, (_, number) => number);
    await Promise.all(numbers.map((number) => events.publish({ ...EVENT, payload: { number } })));
    const stored = await events.getEvents({}, { limit: 500 });
    expect(stored.map(({ payload }) => payload['number'])).toEqual(numbers);
  });

  it('does not mind what becomes of an event after it was handed in', async () => {
    const { events } = await start();
    await events.publish(EVENT);
    const payload = { total: 1 };
    const publishing = events.publish({ ...EVENT, payload });
    payload.total = 2;
    const { id } = await publishing;
    expect((await events.getEvent(id)).payload).toEqual({ total: 1 });
  });

  it('refuses everything once it is closed', async () => {
    const { events } = await start();
    await events.publish(EVENT);
    await events.close();
    await events.close();
    const closed = { code: 'closed', retryable: false };
    await expect(events.publish(EVENT)).rejects.toMatchObject(closed);
    await expect(events.publishBatch([EVENT])).rejects.toMatchObject(closed);
    await expect(events.subscribe({ topic: '#', handler() {} })).rejects.toMatchObject(closed);
    await expect(events.stream()).rejects.toMatchObject(closed);
    await expect(events.getEvents()).rejects.toMatchObject(closed);
  });
}

function nested(levels: number): EventIn {
  let payload: object = {};
  for (let level = 1; level < levels; level++) payload = { a: payload };
  return { ...EVENT, payload };
}

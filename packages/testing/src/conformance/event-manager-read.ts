import type { EventManager, StreamedEvent, StreamedGap, StreamReader, StreamRequest } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';

const EVENT = { type: 'order.created', source: 'shop' };
const NOBODY = '0198c0de-0000-7000-8000-00000000000a';

export function readConformance(start: StartEventManager): void {
  describe('reading', () => {
    stored(start);
    rest(start);
  });
  describe('streams', () => {
    streams(start);
    streamEnds(start);
  });
}

function stored(start: StartEventManager): void {
  it('gets an event by its id', async () => {
    const { events } = await start();
    const timestamp = '2026-11-20T08:00:00.000Z';
    const { id } = await events.publish({ ...EVENT, timestamp, payload: { total: 1 } });
    expect(await events.getEvent(id)).toMatchObject({
      ...EVENT,
      id,
      timestamp: new Date(timestamp),
      payload: { total: 1 },
    });
    await expect(events.getEvent(NOBODY)).rejects.toMatchObject({ code: 'event_not_found' });
    await expect(events.getEvent('no id')).rejects.toMatchObject({ code: 'event_not_found' });
  });

  it('finds events by their fields', async () => {
    const { events } = await start();
    const { id } = await events.publish({
      ...EVENT,
      priority: 'HIGH',
      correlationId: 'c',
      metadata: { userId: 'u' },
    });
    await events.publish({ type: 'stock.changed', source: 'store' });
    for (const query of [
      { topic: 'order.*' },
      { type: 'order.created' },
      { types: ['order.created', 'order.paid'] },
      { sources: ['shop'], priorities: ['HIGH', 'CRITICAL'] },
      { correlation_id: 'c', userId: 'u' },
      { topic: 'order.#', from: new Date(0), to: '2999-01-01T00:00:00Z' },
    ]) {
      expect([query, (await events.getEvents(query)).map((event) => event.id)]).toEqual([query, [id]]);
    }
  });

  it('goes through all events page by page, in both directions', async () => {
    const { events } = await start();
    const published = await events.publishBatch(
      Array.from({ length: 25 }, (_, number) => ({ ...EVENT, payload: { number } })),
    );
    expect(published.stored).toBe(25);
    const numbers = Array.from({ length: 25 }, (_, number) => number);
    expect(await numbersOf(events, 'forward')).toEqual(numbers);
    expect(await numbersOf(events, 'backward')).toEqual(numbers.toReversed());
  });

  it.each([
    [{ colour: 'red' }, {}, 'invalid_query', '/colour'],
    [{ topic: 'a..b' }, {}, 'invalid_pattern', '/topic'],
    [{ types: [] }, {}, 'invalid_query', '/types'],
    [{ from: 'yesterday' }, {}, 'invalid_query', '/from'],
    [{}, { limit: 0 }, 'invalid_query', '/limit'],
    [{}, { limit: 1_001 }, 'invalid_query', '/limit'],
    [{}, { cursor: 'x' }, 'invalid_cursor', '/cursor'],
  ])('refuses the query %j %j', async (query, request, code, pointer) => {
    const { events } = await start();
    await expect(events.getEvents(query, request)).rejects.toMatchObject({ code, details: { pointer } });
  });
}

function rest(start: StartEventManager): void {
  it('tells of its health and its metrics', async () => {
    const { events } = await start();
    await events.publish(EVENT);
    expect(await events.getHealth()).toMatchObject({ status: 'ok', subscriptions: 0, lost: [] });
    expect(Object.keys(await events.getMetrics()).length).toBeGreaterThan(3);
  });

  it('settles', async () => {
    const { events } = await start();
    void events.publish(EVENT);
    await events.settled();
    expect(await events.getEvents()).toHaveLength(1);
  });
}

function streams(start: StartEventManager): void {
  it('begin with what is published from now on', async () => {
    const { events } = await start();
    await events.publish(EVENT);
    const stream = await events.stream();
    const { id, cursor } = await events.publish(EVENT);
    expect(await take(stream, 1)).toMatchObject([{ kind: 'event', event: { id }, cursor }]);
    expect(stream.cursor).toBe(cursor);
    stream.close();
  });

  it('read the log from its beginning, or behind a cursor, by pattern and filter', async () => {
    const { events } = await start();
    const ids: string[] = [];
    for (const [number, source] of ['shop', 'store', 'shop'].entries()) {
      ids.push((await events.publish({ ...EVENT, source, payload: { number } })).id);
    }
    await events.publish({ type: 'stock.changed', source: 'shop' });
    const request = { topics: ['order.*'], filter: { sources: ['shop'] } } satisfies StreamRequest;
    const all = await take(await events.stream({ ...request, from: 'earliest' }), 2);
    expect(idsOf(all)).toEqual([ids[0], ids[2]]);
    const rest = await take(await events.stream({ topics: ['order.*'], from: all[0]!.cursor }), 2);
    expect(idsOf(rest)).toEqual([ids[1], ids[2]]);
  });

  it('give every event once and in order', async () => {
    const { events } = await start();
    const stream = await events.stream({ from: 'earliest' });
    const numbers = Array.from({ length: 3_000 }, (_, number) => number);
    const publishing = events.publishBatch(numbers.map((number) => ({ ...EVENT, payload: { number } })));
    const frames = await take(stream, numbers.length);
    await publishing;
    expect(frames.map((frame) => frame.kind === 'event' && frame.event.payload['number'])).toEqual(numbers);
    stream.close();
  });
}

function streamEnds(start: StartEventManager): void {
  it('can be iterated, and end when they are closed', async () => {
    const { events } = await start();
    await events.publishBatch([EVENT, EVENT]);
    let count = 0;
    for await (const frame of await events.stream({ from: 'earliest' })) {
      expect(frame.kind).toBe('event');
      if (++count === 2) break;
    }
    const stream = await events.stream();
    const waiting = stream.next();
    stream.close();
    expect(await waiting).toEqual([]);
    expect(await stream.next()).toEqual([]);
  });

  it('tell of a gap when the cursor is from a longer log', async () => {
    const [{ events: longer }, { events: shorter }] = [await start(), await start()];
    let cursor = '';
    for (let count = 0; count < 5; count++) ({ cursor } = await longer.publish(EVENT));
    await shorter.publish(EVENT);
    const stream = await shorter.stream({ from: cursor });
    expect(await take(stream, 1)).toMatchObject([{ kind: 'gap', cause: 'ahead' }]);
    const { id } = await shorter.publish(EVENT);
    expect(idsOf(await take(stream, 1))).toEqual([id]);
    stream.close();
  });

  it.each([
    [{ topics: ['a..b'] }, 'invalid_pattern', '/topics'],
    [{ filter: { colour: 'red' } }, 'invalid_filter', '/filter/colour'],
    [{ from: 'x' }, 'invalid_cursor', '/from'],
  ] as [StreamRequest, string, string][])('are refused: %j', async (request, code, pointer) => {
    const { events } = await start();
    await expect(events.stream(request)).rejects.toMatchObject({ code, details: { pointer } });
  });
}

async function take(stream: StreamReader, count: number): Promise<(StreamedEvent | StreamedGap)[]> {
  const frames: (StreamedEvent | StreamedGap)[] = [];
  while (frames.length < count) frames.push(...(await stream.next()));
  return frames;
}

function idsOf(frames: readonly (StreamedEvent | StreamedGap)[]): (string | undefined)[] {
  return frames.map((frame) => (frame.kind === 'event' ? frame.event.id : undefined));
}

async function numbersOf(events: EventManager, direction: 'forward' | 'backward'): Promise<unknown[]> {
  const numbers: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await events.getEvents({}, { limit: 10, direction, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.complete).toBe(true);
    numbers.push(...page.map(({ payload }) => payload['number']));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return numbers;
}

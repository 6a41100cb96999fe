import { ANONYMOUS, decodeEvent, type Event, EventManagerError } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { durableWorld, type EngineUnderTest, fixedRetry, openMemory, sinkOf } from '../open-engine.ts';

const MINUTE_MS = 60_000;
const systemEvents = true;
const rejected = { status: 'reject', error: { code: 'http_400', message: 'no' } } as const;
const gone = { status: 'gone', error: { code: 'http_410', message: 'Gone.' } } as const;

/** Topics and payloads of what the bus told, oldest first. */
async function told(bus: EngineUnderTest): Promise<[string, unknown][]> {
  const request = { limit: 1_000, direction: 'forward' } as const;
  const { records } = await bus.time.run(bus.engine.history.find(ANONYMOUS, { topic: '$sys/#' }, request));
  return records.map(({ topic, body }) => [topic, decodeEvent(body).payload]);
}

/** A bus with a webhook that refuses everything at `refused/…` for good. */
async function openRefusing() {
  const bus = await openMemory({ systemEvents, webhookSink: () => sinkOf((batch) => batch.map(() => rejected)) });
  const { id } = await bus.subscribe({ topic: 'refused', endpoint: 'https://example.com/hook' });
  return { bus, id };
}

describe('events about the bus', () => {
  it('are stored as others are: typed, prioritised, about something, from the bus', async () => {
    const { bus, id } = await openRefusing();
    const seen: Event[] = [];
    await bus.subscribe({ topic: '$sys/#', handler: (event) => void seen.push(event) });
    await bus.publish({ topic: 'refused' });
    await bus.settled();
    expect(seen).toMatchObject([
      {
        topic: '$sys/dead-letter/created',
        type: 'system.dead-letter.created',
        source: 'event-manager',
        priority: 1,
        metadata: { about: id },
        payload: { subscriptionId: id, attempts: 1, reason: 'no', count: 1 },
      },
    ]);
    expect(bus.engine.metrics().systemEvents).toEqual({ published: 1, suppressed: 0, failed: 0 });
  });

  it('are matched by no wildcard at the start and found by no search without a topic', async () => {
    const { bus } = await openRefusing();
    const topics: string[] = [];
    for (const topic of ['#', '*', '+/*', '+/#'])
      await bus.subscribe({ topic, handler: (event) => void topics.push(event.topic) });
    await bus.publish({ topic: 'refused' });
    await bus.settled();
    expect(await told(bus)).toHaveLength(1);
    expect(topics.filter((topic) => topic.startsWith('$'))).toEqual([]);
    const found = await bus.time.run(bus.engine.history.find(ANONYMOUS, {}, { limit: 10, direction: 'forward' }));
    expect(found.records.map(({ topic }) => topic)).toEqual(['refused']);
  });

  it('are not published unless they were asked for', async () => {
    const bus = await openMemory({ webhookSink: () => sinkOf((batch) => batch.map(() => rejected)) });
    await bus.subscribe({ endpoint: 'https://example.com/hook' });
    await bus.publish();
    await bus.settled();
    expect(await told(bus)).toEqual([]);
  });

  it('come once a minute for each kind and subject, with a count of what happened meanwhile', async () => {
    const { bus } = await openRefusing();
    await bus.publishMany(1, 1, { topic: 'refused' });
    await bus.time.advance(1_000);
    await bus.publishMany(4, 1, { topic: 'refused' });
    await bus.time.advance(1_000);
    expect((await told(bus)).map(([, payload]) => payload)).toMatchObject([{ count: 1 }]);
    await bus.time.advance(MINUTE_MS + 15_000);
    expect((await told(bus)).map(([, payload]) => payload)).toMatchObject([{ count: 1 }, { count: 4 }]);
    await bus.time.advance(10 * MINUTE_MS);
    expect(await told(bus)).toHaveLength(2);
    await bus.publishMany(1, 1, { topic: 'refused' });
    await bus.time.advance(1_000);
    expect(await told(bus)).toHaveLength(3);
  });

  it('are never owed to the subscription they are about', async () => {
    const seen: string[] = [];
    const bus = await openMemory({
      systemEvents,
      webhookSink: () =>
        sinkOf((batch) => {
          seen.push(...batch.map(({ record }) => record.topic));
          return batch.map(() => rejected);
        }),
    });
    // It matches both, by a filter that says nothing about topics.
    const { id } = await bus.subscribe({ topic: '$sys/#', endpoint: 'https://example.com/sys' });
    const { id: other } = await bus.subscribe({ topic: 'refused', endpoint: 'https://example.com/hook' });
    bus.engine.systemEvents.tell('subscription/recovered', id, {});
    await bus.publish({ topic: 'refused' });
    await bus.settled();
    expect(seen).toEqual(['refused', '$sys/dead-letter/created']);
    expect(bus.status(id).counts).toMatchObject({ skipped: 1, deadLettered: 1 });
    expect(bus.status(other).counts).toMatchObject({ deadLettered: 1 });
  });

  it('are not told of themselves, however badly their delivery goes', async () => {
    const bus = await openMemory({ systemEvents, webhookSink: () => sinkOf((batch) => batch.map(() => rejected)) });
    for (const name of ['a', 'b'])
      await bus.subscribe({ name, topic: '$sys/#', endpoint: `https://example.com/${name}` });
    bus.engine.systemEvents.tell('service/started', 'service', {});
    await bus.time.advance(10 * MINUTE_MS);
    expect((await bus.deadLetters()).map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect((await told(bus)).map(([topic]) => topic)).toEqual(['$sys/service/started']);
  });

  it('survive the process, and reach a subscription that was away', async () => {
    const { open } = durableWorld();
    const first = await open({ systemEvents });
    const topics: string[] = [];
    const watch = { name: 'watch', topic: '$sys/#', handler: (event: Event) => void topics.push(event.topic) };
    const { id } = await first.subscribe(watch);
    await first.time.run(first.engine.subscriptions.detach(ANONYMOUS, id));
    first.engine.systemEvents.tell('service/stopping', 'service', {});
    // What was told before the end is stored before the end.
    await first.close();
    const second = await open({ systemEvents });
    await second.subscribe(watch);
    await second.settled();
    expect(topics).toEqual(['$sys/service/stopping']);
  });
});

describe('the bus tells of', () => {
  it('a receiver that is gone for good', async () => {
    const bus = await openMemory({ systemEvents, webhookSink: () => sinkOf((batch) => batch.map(() => gone)) });
    const { id } = await bus.subscribe({ name: 'hook', endpoint: 'https://example.com/hook' });
    await bus.publish();
    await bus.time.advance(1_000);
    expect(await told(bus)).toMatchObject([
      ['$sys/subscription/stopped', { subscriptionId: id, name: 'hook', code: 'http_410', reason: 'Gone.', count: 1 }],
      ['$sys/dead-letter/created', { subscriptionId: id }],
    ]);
  });

  it('a stalled subscription and its recovery, each once', async () => {
    const { kept, open } = durableWorld();
    const bus = await open({ systemEvents, stallAfterMs: MINUTE_MS });
    const { id } = await bus.subscribe({ name: 's', handler: () => {} });
    let release = () => {};
    kept.interfere = (call) =>
      call === 'commit'
        ? new Promise<void>((resolve) => {
            release = resolve;
          })
        : undefined;
    await bus.publish();
    await bus.time.advance(10 * MINUTE_MS);
    expect(await told(bus)).toMatchObject([
      ['$sys/subscription/stalled', { subscriptionId: id, name: 's', lag: 1, stallAfterMs: MINUTE_MS, count: 1 }],
    ]);
    kept.interfere = () => {};
    release();
    await bus.time.advance(MINUTE_MS);
    const recovered = ['$sys/subscription/recovered', { subscriptionId: id, lag: 0 }];
    expect((await told(bus)).slice(1)).toMatchObject([recovered]);
  });

  it('a subscription with so many retries waiting that nothing new is attempted', async () => {
    const refused = { status: 'retry', error: { code: 'http_500', message: 'no' } } as const;
    const webhookSink = () => sinkOf((batch) => batch.map(() => refused));
    const bus = await openMemory({ systemEvents, webhookSink, limits: { owedMax: 1 } });
    const retryPolicy = fixedRetry(1_000, 60 * MINUTE_MS);
    const { id } = await bus.subscribe({ endpoint: 'https://example.com/hook', options: { retryPolicy } });
    await bus.publishMany(3);
    await bus.time.advance(MINUTE_MS);
    expect(await told(bus)).toMatchObject([['$sys/subscription/saturated', { subscriptionId: id, lag: 3 }]]);
  });

  it('a full store, once it takes events again', async () => {
    const { kept, open } = durableWorld();
    let full = true;
    const adapter = kept.connect.bind(kept);
    kept.connect = (supports) => {
      const connected = adapter(supports);
      return { ...connected, health: () => ({ status: full ? 'full' : 'ok', facts: {} }) };
    };
    const bus = await open({ systemEvents });
    kept.interfere = (call) => {
      if (call === 'append' && full) throw new EventManagerError('disk_full', 'The disk is full.');
    };
    await bus.time.advance(2 * MINUTE_MS);
    expect(await told(bus)).toEqual([]);
    expect(bus.engine.metrics().systemEvents.failed).toBeGreaterThan(0);
    full = false;
    await bus.time.advance(MINUTE_MS);
    expect((await told(bus)).map(([topic]) => topic).sort()).toEqual(['$sys/store/full', '$sys/store/recovered']);
  });

  it('a part of the log that cannot be read', async () => {
    const { kept, open } = durableWorld();
    const bus = await open({ systemEvents });
    await bus.publishMany(3);
    const read = kept.kept.store.read.bind(kept.kept.store);
    kept.kept.store.read = async (...args) => ({
      ...(await read(...args)),
      lost: { from: 2, through: 3, cause: 'damaged' },
    });
    await bus.subscribe({ handler: () => {}, options: { startFrom: 'earliest' } });
    await bus.settled();
    expect(await told(bus)).toMatchObject([['$sys/store/damaged', { from: 2, through: 3 }]]);
  });
});

import { ANONYMOUS, EventManager } from '@event-manager/core';
import { expect, it } from 'vitest';
import { anEvent, durableWorld, fixedRetry, openMemory, sinkOf } from '../open-engine.ts';

const ID = '0198c0de-0000-7000-8000-00000000000a';

it('counts events by what became of them on the way in', async () => {
  const bus = await openMemory({ limits: { batchEventsMax: 3 } });
  await bus.publish({ id: ID });
  await bus.publish({ id: ID });
  await expect(bus.publish({ id: ID, payload: { other: true } })).rejects.toThrow();
  await expect(bus.publish({ type: '' })).rejects.toThrow();
  await expect(bus.publish({ topic: '$sys/mine' })).rejects.toThrow();
  const mixed = [anEvent(), anEvent({ type: '' })];
  await bus.time.run(bus.engine.publishBatch(ANONYMOUS, mixed));
  const tooMany = Array.from({ length: 4 }, () => anEvent());
  await expect(bus.time.run(bus.engine.publishBatch(ANONYMOUS, tooMany))).rejects.toThrow();
  bus.engine.countRejected('invalid_json');
  expect(bus.engine.metrics()).toMatchObject({
    eventsPublished: 2,
    duplicates: 1,
    rejected: { id_conflict: 1, invalid_event: 2, topic_reserved: 1, batch_too_large: 4, invalid_json: 1 },
    publishLatency: { count: 4 },
    unacknowledged: 0,
    head: 2,
  });
});

it('counts deliveries by what became of them, and goes on counting when their subscription has ended', async () => {
  const bus = await openMemory();
  let calls = 0;
  const handler = () => (++calls === 1 ? { success: false, error: 'again' } : undefined);
  const { id } = await bus.subscribe({ topic: 'good', handler, options: { retryPolicy: fixedRetry(3) } });
  const rejects = () => ({ success: false, retry: false });
  await bus.subscribe({ topic: 'bad', handler: rejects });
  await bus.subscribe({ topic: 'picky', handler: () => {}, filter: { types: ['other'] } });
  await bus.publish({ topic: 'good' });
  await bus.publish({ topic: 'bad' });
  await bus.publish({ topic: 'picky' });
  await bus.publish({ topic: 'good', metadata: { expiresAt: new Date(0) } });
  await bus.settled();
  await bus.time.run(bus.engine.subscriptions.unsubscribe(ANONYMOUS, id));
  expect(bus.engine.metrics()).toMatchObject({
    eventsProcessed: 1,
    eventsFailed: 2,
    eventsRetried: 1,
    deadLetterCount: 1,
    deliveries: {
      delivered: 1,
      failed: 2,
      retried: 1,
      deadLettered: 1,
      expired: 1,
      skipped: 1,
      withdrawn: 0,
      stale: 0,
    },
    activeSubscriptions: 2,
    subscriptions: 2,
    queueDepth: 0,
  });
});

it('measures attempts, deliveries from storing on, and the wait of each lane', async () => {
  const bus = await openMemory({
    webhookSink: () =>
      sinkOf(async (batch) => {
        await bus.time.wait(30);
        return batch.map(() => ({ status: 'delivered' }));
      }),
  });
  await bus.subscribe({ endpoint: 'https://example.com/hook', options: { maxConcurrency: 1 } });
  await bus.publishMany(2, 1, { priority: 'HIGH' });
  await bus.settled();
  const { handlerLatency, endToEndLatency, waitByLane } = bus.engine.metrics();
  expect(handlerLatency).toMatchObject({ count: 2, sum: 60 });
  // The second one waited for the first.
  expect(endToEndLatency).toMatchObject({ count: 2, sum: 90 });
  expect(waitByLane).toMatchObject({ HIGH: { count: 2, sum: 30 }, NORMAL: { count: 0 } });
});

it('does not call late what was stored before the subscription was created', async () => {
  const bus = await openMemory();
  await bus.publish();
  await bus.time.advance(3_600_000);
  await bus.subscribe({ handler: () => {}, options: { startFrom: 'earliest' } });
  await bus.settled();
  expect(bus.engine.metrics()).toMatchObject({ endToEndLatency: { count: 1, sum: 0 }, eventsProcessed: 1 });
});

it('counts an attempt that was given up as failed after its timeout, and its late answer as stale', async () => {
  const bus = await openMemory();
  let answer = () => {};
  const handler = () =>
    new Promise<undefined>((resolve) => {
      answer = () => resolve(undefined);
    });
  await bus.subscribe({ handler, options: { timeout: 1_000, retryPolicy: fixedRetry(0) } });
  const published = bus.engine.publish(ANONYMOUS, anEvent());
  await bus.time.advance(1_500);
  answer();
  await bus.time.run(published);
  expect(bus.engine.metrics()).toMatchObject({
    handlerLatency: { count: 1, sum: 1_000 },
    deliveries: { failed: 1, deadLettered: 1, stale: 1, delivered: 0 },
  });
});

it('shows what waits: by lane for a first attempt, and for a retry', async () => {
  const bus = await openMemory({ webhookSink: () => sinkOf((batch) => batch.map(() => refused)) });
  await bus.subscribe({ endpoint: 'https://example.com/hook', options: { retryPolicy: fixedRetry(3, 60_000) } });
  await bus.subscribe({ name: 'later', handler: () => {} });
  await bus.time.run(bus.engine.subscriptions.pause(ANONYMOUS, bus.engine.subscriptions.list(ANONYMOUS)[1]!.id));
  await bus.publishMany(3, 1, { priority: 'LOW' });
  await bus.time.advance(10);
  expect(bus.engine.metrics()).toMatchObject({
    queueDepth: 6,
    queueDepthByLane: { CRITICAL: 0, HIGH: 0, NORMAL: 0, LOW: 3 },
    activeSubscriptions: 1,
    lagMax: 3,
    bodies: 3,
  });
});

it('begins at 0 with every start, on a durable log too', async () => {
  const { open } = durableWorld();
  const first = await open();
  await first.publishMany(3);
  await first.close();
  const second = await open();
  expect(second.engine.metrics()).toMatchObject({ eventsPublished: 0, head: 3 });
});

it('gives applications the same as an object', async () => {
  await using bus = new EventManager();
  await bus.subscribe({ topic: '#', handler: () => {} });
  await bus.publish({ type: 'a', source: 'b' });
  const metrics = await bus.getMetrics();
  expect(metrics).toMatchObject({ eventsPublished: 1, eventsProcessed: 1, activeSubscriptions: 1, deadLetterCount: 0 });
  expect(metrics.memoryUsage).toBeGreaterThan(1e6);
  expect(metrics.cpuUsage).toBeGreaterThan(0);
  // It goes over the network as it is.
  expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
});

const refused = { status: 'retry', error: { code: 'http_500', message: 'no' } } as const;

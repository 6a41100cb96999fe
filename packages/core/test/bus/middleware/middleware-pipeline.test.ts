import { type BusPublishResult, EventManagerError, type MiddlewareEvent } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

const event = { type: 'task_created', topic: 'task/created', data: { id: '1' } };

it('shows an event as it was handed in, with what the bus knows of it already', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ name: 'tracker', runtime });
  const seen: MiddlewareEvent[] = [];
  bus.use((shown, next) => {
    seen.push(shown);
    next();
  });
  const result = await time.run(bus.publish(event));
  expect(seen).toHaveLength(1);
  const [shown] = seen;
  expect(shown).toMatchObject({ type: 'task_created', source: 'tracker', data: { id: '1' }, payload: { id: '1' } });
  expect(shown!.timestamp).toEqual(new Date(time.wallMs()));
  expect((result as { id: string }).id).toBe(shown!.id);
  const stored = await time.run(bus.eventManager.getEvent(shown!.id));
  expect(stored.timestamp).toEqual(shown!.timestamp);
  expect(Object.isFrozen(shown)).toBe(true);
});

it.each([
  ['payload', (shown: MiddlewareEvent) => ({ ...shown, payload: { id: '2' } })],
  ['data', (shown: MiddlewareEvent) => ({ ...shown, data: { id: '2' } })],
  ['a new object', ({ type }: MiddlewareEvent) => ({ type, source: 'x', payload: { id: '2' } })],
])('stores what was changed by %s, under the id that was there', async (_, change) => {
  const bus = keptBus();
  let id = '';
  bus.use((shown, next) => {
    id = shown.id;
    return next(change(shown));
  });
  expect(await bus.publish(event)).toMatchObject({ id });
  expect((await bus.eventManager.getEvent(id)).payload).toEqual({ id: '2' });
});

it('lifts a correlation id that a middleware puts among the metadata', async () => {
  const bus = keptBus();
  bus.use((shown, next) => next({ ...shown, metadata: { ...shown.metadata, correlationId: 'flow-1' } }));
  await bus.publish(event);
  expect(await bus.queryEventsByCorrelationId('flow-1')).toHaveLength(1);
});

it('tells a middleware what the publisher will be told, also where it does not wait for it', async () => {
  const bus = keptBus();
  const told: unknown[] = [];
  bus.use(async (_, next) => void told.push(await next()));
  bus.use(function gate({ type }, next) {
    if (type === 'refused') throw new EventManagerError('topic_not_declared', 'not here');
    if (type === 'dropped') return;
    next();
  });
  const stored = await bus.publish(event);
  const dropped = await bus.publish({ ...event, type: 'dropped' });
  expect(dropped).toEqual({ filtered: true, by: 'gate' });
  expect(told).toEqual([stored, dropped]);
  await expect(bus.publish({ ...event, type: 'refused' })).rejects.toMatchObject({ code: 'topic_not_declared' });
  const [first, gate] = bus.getMiddlewareStats();
  expect(first).toMatchObject({ name: 'middleware 1', seen: 3, passed: 3, failed: 0, refused: 0 });
  expect(gate).toMatchObject({ name: 'gate', seen: 3, passed: 1, filtered: 1, refused: 1, failed: 0 });
});

it('answers with what became of the event, whatever a middleware makes of it', async () => {
  const bus = keptBus();
  bus.use(async (_, next) => void (await next().catch(() => {})));
  const wrong = { ...event, topic: 'not//a topic' };
  await expect(bus.publish(wrong)).rejects.toMatchObject({ code: 'invalid_topic' });
});

it('stores an event once, and says who called next twice', async () => {
  const bus = keptBus();
  let second: unknown;
  bus.use(async function twice(_, next) {
    await next();
    second = await next().catch((error: unknown) => error);
  });
  await bus.publish(event);
  expect(second).toMatchObject({ code: 'middleware_failed', details: { middleware: 'twice' } });
  expect((await bus.getStats()).publishedEvents).toBe(1);
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ passed: 1, failed: 1 });
});

it.each([
  [
    'throws',
    () => {
      throw new RangeError('no such thing');
    },
  ],
  [
    'rejects',
    async () => {
      throw new RangeError('no such thing');
    },
  ],
  ['passes on what is no event', (_: unknown, next: (wrong: never) => unknown) => next('text' as never)],
] as const)('refuses an event whose middleware %s, names it and goes on with the next event', async (_, fail) => {
  const bus = keptBus();
  const takeAway = bus.use(fail, { name: 'broken' });
  await expect(bus.publish(event)).rejects.toMatchObject({
    code: 'middleware_failed',
    details: { middleware: 'broken' },
  });
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ name: 'broken', failed: 1, passed: 0 });
  expect((await bus.getStats()).publishedEvents).toBe(0);
  takeAway();
  await bus.publish(event);
  expect((await bus.getStats()).publishedEvents).toBe(1);
});

it('acknowledges what is stored, though a middleware fails afterwards', async () => {
  const bus = keptBus();
  bus.use(async function after(_, next) {
    await next();
    throw new RangeError('too late');
  });
  expect(await bus.publish(event)).toMatchObject({ duplicate: false });
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ passed: 1, failed: 1 });
});

it('refuses an event after the time that one middleware may take, and ends what it does', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime, middlewareTimeout: 50 });
  let signal: AbortSignal | undefined;
  let late: (() => Promise<BusPublishResult>) | undefined;
  bus.use(function slow(_, next, context) {
    ({ signal } = context);
    late = () => next();
    return new Promise(() => {});
  });
  const publishing = bus.publish(event);
  publishing.catch(() => {});
  await time.advance(49);
  expect(signal?.aborted).toBe(false);
  await time.advance(1);
  await expect(publishing).rejects.toMatchObject({
    code: 'middleware_timeout',
    retryable: true,
    details: { middleware: 'slow', timeoutMs: 50 },
  });
  expect(signal?.aborted).toBe(true);
  await expect(late?.()).rejects.toMatchObject({ code: 'middleware_timeout' });
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ timedOut: 1, late: 1, passed: 0, durationMaxMs: 50 });
  expect((await time.run(bus.getStats())).publishedEvents).toBe(0);
});

it('does not count what follows as the time of a middleware', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime, middlewareTimeout: 50 });
  bus.use(async (_, next) => void (await next()), { name: 'outer' });
  bus.use(async (_, next) => {
    await time.wait(40);
    await next();
    await time.wait(40);
  });
  // In memory `publish` waits for handlers, too.
  await time.run(bus.subscribe('*', () => time.wait(1_000)));
  await time.run(bus.publish(event));
  expect(bus.getMiddlewareStats().map(({ timedOut }) => timedOut)).toEqual([0, 0]);
  expect(bus.getMiddlewareStats()[0]!.durationMaxMs).toBe(0);
});

it('answers for what is stored when a middleware does not come to an end afterwards', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime, middlewareTimeout: 50 });
  bus.use(async (_, next) => {
    await next();
    await new Promise(() => {});
  });
  const startedMs = time.monotonicMs();
  expect(await time.run(bus.publish(event))).toMatchObject({ duplicate: false });
  expect(time.monotonicMs() - startedMs).toBe(50);
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ passed: 1, timedOut: 1 });
});

it('keeps the order of publishing where middleware does not wait', async () => {
  const bus = keptBus();
  const order: unknown[] = [];
  bus.use((_, next) => void next());
  bus.use((_, next) => next());
  await bus.subscribe('*', ({ data }) => void order.push(data['n']));
  await Promise.all(Array.from({ length: 50 }, (_, n) => bus.publish({ ...event, data: { n } })));
  expect(order).toEqual(Array.from({ length: 50 }, (_, n) => n));
});

it('leaves what can be no event to the bus, which says what is wrong', async () => {
  const bus = keptBus();
  bus.use((_, next) => next());
  await expect(bus.publish('t', 'x', 'text')).rejects.toMatchObject({
    code: 'invalid_event',
    details: { pointer: '/payload' },
  });
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ seen: 0 });
});

it.each([
  ['an object without a text', Object.create(null) as object],
  ['an error without one', Object.defineProperty(new Error('x'), 'message', { get: () => Object.create(null) })],
])('refuses an event whose middleware throws %s, and lives', async (_, odd) => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', hear);
  onTestFinished(() => void process.off('unhandledRejection', hear));
  const bus = keptBus();
  bus.use(async () => Promise.reject(odd), { name: 'odd' });
  await expect(bus.publish(event)).rejects.toMatchObject({ code: 'middleware_failed', cause: odd });
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});

it('refuses an event whose middleware answers with what cannot be waited for', async () => {
  const bus = keptBus();
  const then = () => {
    throw new RangeError('no');
  };
  const odd = Object.defineProperty({}, 'then', { get: then });
  bus.use(() => odd);
  await expect(bus.publish(event)).rejects.toMatchObject({ code: 'middleware_failed' });
});

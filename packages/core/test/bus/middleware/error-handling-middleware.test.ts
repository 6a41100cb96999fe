import { ErrorHandlingMiddleware, filteringMiddleware, type HandledError } from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

const event = { type: 'task_created', data: {} };
const broken = () => {
  throw new RangeError('no such thing');
};

it('counts, remembers and tells what went wrong, wherever it stands', async () => {
  const bus = keptBus();
  const told: HandledError[] = [];
  const errors = new ErrorHandlingMiddleware({ onError: (handled) => void told.push(handled) });
  const takeAway = bus.use(broken, { name: 'broken' });
  bus.use(errors.middleware);
  await expect(bus.publish(event)).rejects.toMatchObject({ code: 'middleware_failed' });
  takeAway();
  await expect(bus.publish({ ...event, topic: 'a//b' })).rejects.toMatchObject({ code: 'invalid_topic' });
  expect(errors.counts).toEqual({ middleware_failed: 1, invalid_topic: 1 });
  expect(errors.recent.map(({ code, middleware }) => [code, middleware])).toEqual([
    ['invalid_topic', undefined],
    ['middleware_failed', 'broken'],
  ]);
  expect(told).toEqual(errors.recent.toReversed());
  expect(Date.parse(told[0]!.at)).toBeGreaterThan(0);
});

it.each([
  [true, 'stored'],
  [['broken'], 'stored'],
  [['other'], 'middleware_failed'],
  [false, 'middleware_failed'],
  [undefined, 'middleware_failed'],
] as const)('with passOver %o: a failing middleware is %s', async (passOver, expected) => {
  const bus = keptBus();
  bus.use((shown, next) => next({ ...shown, metadata: { tags: ['before'] } }));
  bus.use(broken, { name: 'broken' });
  bus.use(new ErrorHandlingMiddleware({ passOver }).middleware);
  const tags: unknown[] = [];
  await bus.subscribe('*', ({ metadata }) => void tags.push(...metadata.tags));
  const outcome = await bus.publish(event).then(
    () => 'stored',
    ({ code }) => code,
  );
  expect(outcome).toBe(expected);
  expect(tags).toEqual(expected === 'stored' ? ['before'] : []);
  expect(bus.getMiddlewareStats()[1]).toMatchObject({ failed: 1, passedOver: expected === 'stored' ? 1 : 0 });
});

it('goes on without a middleware whose time is up, and lets no later word of it count', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime, middlewareTimeout: 50 });
  bus.use(
    async (_, next) => {
      await time.wait(80);
      await next();
    },
    { name: 'slow' },
  );
  bus.use(new ErrorHandlingMiddleware({ passOver: ['slow'] }).middleware);
  await time.run(bus.publish(event));
  await time.advance(100);
  expect((await time.run(bus.getStats())).publishedEvents).toBe(1);
  expect(bus.getMiddlewareStats()[0]).toMatchObject({ timedOut: 1, passedOver: 1, late: 1 });
});

it('passes over no refusal: what was kept back or refused was meant', async () => {
  const bus = keptBus();
  bus.use(new ErrorHandlingMiddleware({ passOver: true }).middleware);
  bus.use(filteringMiddleware({ types: ['other'] }));
  expect(await bus.publish(event)).toEqual({ filtered: true, by: 'filtering' });
});

it('survives an onError that throws', async () => {
  const bus = keptBus();
  bus.use(new ErrorHandlingMiddleware({ passOver: true, onError: broken }).middleware);
  bus.use(broken);
  expect(await bus.publish(event)).toMatchObject({ duplicate: false });
});

it('takes no text for a list of names, in which others would be found', () => {
  expect(() => new ErrorHandlingMiddleware({ passOver: 'masking' as never })).toThrow(/a list of names/);
});

// #region use
import { EventBus, EventManagerError } from '@event-manager/core';

await using bus = new EventBus({ name: 'tracker' });
await bus.subscribe('task.*', ({ type, data, metadata }) => {
  console.log(`handled ${type}: ${JSON.stringify(data)} ${metadata.tags}`);
});

bus.use((event, next) => {
  console.log(`seen ${event.type} of ${event.source}`);
  next();
});
bus.use(async function stamp(event, next) {
  const result = await next({ ...event, metadata: { ...event.metadata, tags: ['stamped'] } });
  console.log(`and now it is ${'filtered' in result ? `kept back by ${result.by}` : 'stored'}`);
});
bus.use(function gate(event, next) {
  if (event.data['title'] === '') throw new EventManagerError('invalid_event', 'A task has a title.');
  return event.type === 'task.touched' ? undefined : next();
});

const created = await bus.publish('task.created', 'task.created', { title: 'Write it down' });
console.log(`acknowledged: ${'id' in created}`);
console.log(await bus.publish('task.touched', 'task.touched', { title: 'Write it down' }));
await bus.publish('task.created', 'task.created', { title: '' }).catch(({ code }) => console.log(`refused: ${code}`));
// #endregion

// #region failing
const broken = bus.use(function broken() {
  throw new RangeError('no such thing');
});
await bus.publish('task.created', 'task.created', { title: 'Another' }).catch(({ code, details }) => {
  console.log(`${code}: ${details.middleware}`);
});
broken();
for (const { name, seen, passed, filtered, refused, failed } of bus.getMiddlewareStats().slice(-2)) {
  console.log(`${name}: ${seen} seen, ${passed} passed, ${filtered} kept back, ${refused} refused, ${failed} failed`);
}

// #endregion

// #region seven
import {
  createLoggingMiddleware,
  ErrorHandlingMiddleware,
  filteringMiddleware,
  MetricsMiddleware,
  rateLimitingMiddleware,
  transformationMiddleware,
  validationMiddleware,
} from '@event-manager/core';
import { z } from 'zod';

await using shop = new EventBus({ name: 'shop', middlewareTimeout: 1_000 });
const metrics = new MetricsMiddleware();
const errors = new ErrorHandlingMiddleware({ passOver: ['geo'] });
shop.use(
  createLoggingMiddleware({
    log: ({ type, outcome, by = '' }) => console.log(`${type}: ${outcome}${by && ` by ${by}`}`),
  }),
);
shop.use(metrics.middleware);
shop.use(errors.middleware);
shop.use(filteringMiddleware({ excludeTypes: ['debug.*'] }));
shop.use(transformationMiddleware({ 'order.placed': (event) => ({ ...event, data: { vat: 0.19, ...event.data } }) }));
shop.use(
  async () => {
    throw new Error('the service of places does not answer');
  },
  { name: 'geo' },
);
shop.use(validationMiddleware({ 'order.placed': z.object({ total: z.number() }) }));
shop.use(rateLimitingMiddleware({ limit: 2, windowMs: 60_000, key: (event) => event.source }));

const orders = [{ total: 1 }, { total: 'a lot' }, { total: 2 }, { total: 3 }];
for (const data of orders) await shop.publish({ type: 'order.placed', data }).catch(({ code }) => console.log(code));
await shop.publish({ type: 'debug.cache', data: {} });
const { events, stored, filtered, refused } = metrics.getMetrics();
console.log({ events, stored, filtered, refused });
console.log(errors.counts);
// #endregion

// #region plugins
await using configured = new EventBus({
  plugins: ['metrics', { name: 'rate-limiting', options: { limit: 100, key: 'source' } }],
});
await configured.usePlugins([{ path: './masking.ts', options: { fields: ['email'] } }], { from: import.meta.url });
await configured.subscribe('#', ({ data }) => console.log(data));
await configured.publish({ type: 'user.joined', data: { name: 'Ann', email: 'ann@example.org' } });

const wrong = configured.usePlugins(['filtering', { path: './nothing.ts' }], { from: import.meta.url });
await wrong.catch(({ code, details }) => console.log(code, details.pointer));
console.log(configured.getMiddlewareStats().map(({ name }) => name));
// #endregion

// #region reload
await using live = new EventBus();
const handlers = await live.loadHandlers('./handlers.ts', { from: import.meta.url });
await live.publish('orders', 'order.placed', { total: 12.5 });
await handlers.reload();
await live.publish('orders', 'order.placed', { total: 3 });
console.log(`version ${handlers.version} of ${Object.keys(handlers.subscriptions)}`);
// #endregion

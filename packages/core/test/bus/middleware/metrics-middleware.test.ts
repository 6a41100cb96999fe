import { MetricsMiddleware, rateLimitingMiddleware } from '@event-manager/core';
import { expect, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

it('counts what became of the events, by type and by code, and how long it took', async () => {
  const { time, runtime } = virtualSurroundings();
  const bus = keptBus({ runtime });
  const metrics = new MetricsMiddleware();
  bus.use(metrics.middleware);
  bus.use(async ({ type }, next) => {
    await time.wait(30);
    return type === 'noise' ? undefined : next();
  });
  bus.use(rateLimitingMiddleware({ limit: 2, windowMs: 60_000 }));
  for (const type of ['task_created', 'task_created', 'task_updated', 'noise']) {
    await time.run(bus.publish({ type, data: {} }).catch(() => {}));
  }
  expect(metrics.getMetrics()).toMatchObject({
    events: 4,
    stored: 2,
    filtered: 1,
    refused: 1,
    byType: {
      task_created: { stored: 2, refused: 0 },
      task_updated: { stored: 0, refused: 1 },
      noise: { filtered: 1 },
    },
    refusedByCode: { rate_limited: 1 },
    latency: { count: 4, sum: 120 },
  });
  metrics.reset();
  expect(metrics.getMetrics()).toMatchObject({ events: 0, stored: 0, byType: {}, latency: { count: 0 } });
});

it('keeps a bounded number of types, since publishers make them up', async () => {
  const bus = keptBus();
  const metrics = new MetricsMiddleware();
  bus.use(metrics.middleware);
  for (let n = 0; n < 1_100; n++) await bus.publish({ type: `type_${n}`, data: {} });
  const { byType } = metrics.getMetrics();
  expect(Object.keys(byType)).toHaveLength(1_001);
  expect(byType['(other types)']).toMatchObject({ stored: 100 });
});

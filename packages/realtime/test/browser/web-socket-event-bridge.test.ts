import { type BusEvent, EventBus } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { EventIntegratedWebSocketManager } from '../../src/index.ts';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { servePages } from './serve-pages.ts';

const publish = (bus: EventBus, type: string, payload: object = {}) =>
  bus.publish(type.replace('_', '/'), type, payload);

it('shows types under the names for pages, hides those that are not for them, and transforms payloads', async () => {
  const { bus, url } = await servePages({
    bridge: {
      types: { task_created: 'taskCreated', secret_changed: false },
      transform: {
        task_created: ({ data }: BusEvent) => ({ title: data['title'], length: String(data['title']).length }),
      },
    },
  });
  const page = await PageClient.open(url);
  await publish(bus, 'secret_changed');
  await publish(bus, 'task_created', { title: 'Paint', cost: 7 });
  await publish(bus, 'task_updated', { cost: 8 });
  await page.until(() => page.types.length === 2);
  expect(page.ofType('event').map(({ event }) => [event.type, event.payload])).toEqual([
    ['taskCreated', { title: 'Paint', length: 5 }],
    ['task_updated', { cost: 8 }],
  ]);
  // A page asks by the name that it reads, or by the one that it knew before.
  for (const name of ['taskCreated', 'task_created']) {
    const asking = await PageClient.open(url);
    await asking.ask({ type: 'subscribe', eventTypes: [name] });
    await publish(bus, 'task_updated');
    await publish(bus, 'task_created', { title: name });
    await asking.until(() => asking.types.length === 1);
    expect(asking.types).toEqual(['taskCreated']);
  }
});

it('isolates a conversion that fails: the page is told, its cursor moves, and everything else comes', async () => {
  const failures: unknown[] = [];
  const { bus, sockets, url } = await servePages({
    onFailure: (error) => failures.push(error),
    bridge: {
      transform: {
        thrown: () => {
          throw new TypeError('no title');
        },
        promised: () => Promise.resolve({}),
        nothing: () => undefined,
        circular: () => {
          const circle: { self?: unknown } = {};
          circle.self = circle;
          return circle;
        },
      },
    },
  });
  const pages = [await PageClient.open(url), await PageClient.open(url)];
  for (const type of ['thrown', 'promised', 'nothing', 'circular', 'good']) await publish(bus, type);
  for (const page of pages) {
    await page.until(() => page.types.length === 1);
    expect(page.types).toEqual(['good']);
    expect(page.ofType('error').map(({ event, error }) => [event.type, error.code])).toEqual(
      ['thrown', 'promised', 'nothing', 'circular'].map((type) => [type, 'conversion_failed']),
    );
  }
  expect(failures).toHaveLength(4);
  expect(sockets.getMetrics()).toMatchObject({
    conversionsFailed: 4,
    conversionsFailedByType: { thrown: 1, promised: 1, nothing: 1, circular: 1 },
    connections: 2,
  });
  expect(bus.getMetrics()?.parts).toEqual({ webSockets: sockets.getMetrics() });
  const again = await PageClient.open(`${url}?cursor=${pages[0]!.ofType('error').at(-1).cursor}`);
  await again.until(() => again.types.length === 1);
  expect(again.frames).toHaveLength(2);
});

it('shows old events in the current version of their type, also of a typed bus', async () => {
  const upcaster = { type: 'task_created', from: '1.0', to: '2.0' };
  const bus = new EventBus<{ task_created: { name?: string; title?: string } }>({
    upcasters: [{ ...upcaster, upcast: ({ name }) => ({ title: name ?? null }) }],
  });
  const sockets = new EventIntegratedWebSocketManager({ port: 0 });
  await sockets.subscribeToEventBus(bus);
  onTestFinished(async () => {
    await sockets.close();
    await bus.close();
  });
  const page = await PageClient.open(`ws://127.0.0.1:${sockets.port}/ws`);
  await bus.publish({ type: 'task_created', version: '1.0', payload: { name: 'Paint' } });
  await bus.publish({ type: 'task_created', version: '2.0', payload: { title: 'Dig' } });
  await page.until(() => page.types.length === 2);
  expect(page.ofType('event').map(({ event }) => [event.version, event.payload])).toEqual([
    ['2.0', { title: 'Paint' }],
    ['2.0', { title: 'Dig' }],
  ]);
});

it('keeps the shape of the frames of before for pages that read it, with the cursor added', async () => {
  const { bus, url } = await servePages({ bridge: { rollout: { share: 0 } } });
  const page = await PageClient.open(url);
  await publish(bus, 'task_created', { id: 't-1' });
  await page.until(() => page.ofType('task_created').length === 1);
  expect(page.ofType('task_created')[0]).toEqual({
    type: 'task_created',
    data: { id: 't-1' },
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    id: expect.any(String),
    cursor: expect.any(String),
  });
  const again = await PageClient.open(`${url}?form=event&cursor=${page.frames[0].cursor}`);
  await again.until(() => again.types.length === 1);
});

it('makes the frames of before as the application made them', async () => {
  const legacy = ({ type, payload }: { type: string; payload: unknown }) => ({ kind: type, task: payload });
  const { bus, url } = await servePages({ bridge: { legacy } });
  const page = await PageClient.open(`${url}?form=legacy`);
  await publish(bus, 'task_created', { id: 't-1' });
  await page.until(() => page.frames.length === 2);
  expect(page.frames[1]).toMatchObject({ kind: 'task_created', task: { id: 't-1' }, cursor: expect.any(String) });
});

it('rolls the new form out to a share of the pages and to some types, each page staying where it is', async () => {
  const pages = Array.from({ length: 100 }, (_, index) => `page-${index}`);
  const drawn = async (share: number) => {
    const { bus, sockets, url } = await servePages({ bridge: { rollout: { share, eventTypes: ['task_created'] } } });
    const open = await Promise.all(pages.map((page) => PageClient.open(`${url}?client=${page}`)));
    await publish(bus, 'task_created');
    await publish(bus, 'task_updated');
    await Promise.all(open.map((page) => page.until(() => page.ofType('task_updated').length === 1)));
    const news = pages.filter((_, index) => open[index]!.types.includes('task_created'));
    for (const page of open) page.socket.terminate();
    await until(() => sockets.getMetrics().connections === 0);
    return news;
  };
  const [few, again, more, none, all] = [
    await drawn(0.3),
    await drawn(0.3),
    await drawn(0.6),
    await drawn(0),
    await drawn(1),
  ];
  expect(again).toEqual(few);
  expect(more).toEqual(expect.arrayContaining(few));
  expect([none!.length, all!.length]).toEqual([0, 100]);
  expect(few!.length).toBeGreaterThan(15);
  expect(few!.length).toBeLessThan(45);
});

import type { EventBus, PriorityName } from '@event-manager/core';
import { expect, it } from 'vitest';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { type ServedPages, servePages } from './serve-pages.ts';

/** The full figure of the option by `PAGES=1000`, which is its default as well. */
const PAGES = Number(process.env['PAGES'] ?? 1_000);
const text = 'x'.repeat(4_096);
const say = (bus: EventBus, id: number, priority: PriorityName) =>
  bus.publish('load', 'load', { id, text }, { priority });

it('sheds LOW first for a page that does not read, tells it, and slows nobody else down', async () => {
  const { bus, sockets, url } = await servePages({ messageQueueSize: 100 });
  const [slow, quick] = [await PageClient.open(url), await PageClient.open(url)];
  const { cursor } = slow.frames[0];
  slow.socket.pause();
  // What the kernel takes without anybody reading differs; until the queue is full, everything fits.
  let id = 0;
  while (sockets.getMetrics().shed.LOW === 0) {
    for (let each = 0; each < 50; each++) await say(bus, id++, each % 10 === 0 ? 'CRITICAL' : 'LOW');
    await quick.until(() => quick.types.length === id);
  }
  for (let each = 0; each < 20; each++) await say(bus, id++, 'HIGH');
  await quick.until(() => quick.types.length === id);
  const { shed } = sockets.getMetrics();
  expect(shed).toMatchObject({ CRITICAL: 0, HIGH: 0, NORMAL: 0 });
  slow.socket.resume();
  const all = Object.values(shed).reduce((sum, count) => sum + count);
  await slow.until(() => slow.types.length === id - all);
  const told = slow.ofType('shed');
  expect(told.reduce((sum, frame) => sum + frame.counts.LOW, 0)).toBe(shed.LOW);
  const ids = slow.ofType('event').map(({ event }) => event.payload.id);
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  // Where it is told to read again, everything is there.
  const again = await PageClient.open(`${url}?cursor=${told[0].after}`);
  await until(() => again.ofType('event').at(-1)?.event.payload.id === id - 1);
  const known = new Set([...ids, ...again.ofType('event').map(({ event }) => event.payload.id)]);
  expect(known.size).toBe(id);
  expect(cursor).toBeDefined();
});

it('sheds nothing for a page that catches up, however slowly it reads', async () => {
  const { bus, sockets, url } = await servePages({ messageQueueSize: 100 });
  const first = await PageClient.open(url);
  const count = 2_000;
  for (let id = 0; id < count; id++) void say(bus, id, 'LOW');
  await until(() => first.types.length + sockets.getMetrics().shed.LOW === count);
  const before = sockets.getMetrics().shed.LOW;
  const page = await PageClient.open(`${url}?cursor=${first.frames[0].cursor}`);
  while (page.types.length < count) {
    page.socket.pause();
    await new Promise((resolve) => setImmediate(resolve));
    page.socket.resume();
    const had = page.types.length;
    await page.until(() => page.types.length > had);
  }
  expect(page.ofType('event').map(({ event }) => event.payload.id)).toEqual(
    Array.from({ length: count }, (_, id) => id),
  );
  expect(sockets.getMetrics().shed.LOW).toBe(before);
});

it(`serves ${PAGES} pages, each event to each of them`, async () => {
  const { bus, sockets, url } = await servePages({ maxConnections: PAGES });
  const pages: PageClient[] = [];
  while (pages.length < PAGES) {
    const some = Array.from({ length: Math.min(50, PAGES - pages.length) }, () => PageClient.open(url));
    pages.push(...(await Promise.all(some)));
  }
  expect(sockets.getMetrics().connections).toBe(PAGES);
  for (let id = 0; id < 10; id++) await say(bus, id, 'NORMAL');
  await Promise.all(pages.map((page) => page.until(() => page.types.length === 10)));
  expect(sockets.getMetrics()).toMatchObject({ eventsSent: PAGES * 10, shed: { NORMAL: 0 } });
});

/** A page that does not read, for which something waits here; resolves with how many events there are. */
async function stuff(page: PageClient, { bus, sockets }: ServedPages): Promise<number> {
  page.socket.pause();
  let count = 0;
  while (sockets.getMetrics().queued < 20) {
    await say(bus, count++, 'NORMAL');
    await new Promise((resolve) => setImmediate(resolve));
  }
  return count;
}

it('sends what waits for a page before it says goodbye', async () => {
  const served = await servePages({ drainMs: 20_000 });
  const page = await PageClient.open(served.url);
  const count = await stuff(page, served);
  const closing = served.sockets.close();
  page.socket.resume();
  expect((await page.untilOver()).code).toBe(1_001);
  await closing;
  expect(page.types).toHaveLength(count);
});

it('sends what waited for a page that goes back once, and in the order of the log', async () => {
  const served = await servePages();
  const page = await PageClient.open(served.url);
  const count = await stuff(page, served);
  page.send({ type: 'subscribe', eventTypes: ['#'], from: page.frames[0].cursor });
  await until(() => served.sockets.getMetrics().resumed === 1);
  page.socket.resume();
  await page.until(
    () => page.ofType('event').at(-1)?.event.payload.id === count - 1 && page.ofType('subscribed').length === 1,
  );
  const answered = page.frames.findIndex(({ type }) => type === 'subscribed');
  const ids = page.frames.slice(answered).flatMap(({ type, event }) => (type === 'event' ? [event.payload.id] : []));
  expect(ids).toEqual(Array.from({ length: count }, (_, id) => id));
});

it('cuts a page that asks and never reads the answers', async () => {
  const { sockets, url } = await servePages();
  const page = await PageClient.open(url);
  page.socket.pause();
  const types = Array.from({ length: 900 }, (_, index) => `type.${index}.${'x'.repeat(40)}`);
  const ask = JSON.stringify({ type: 'subscribe', eventTypes: types });
  const other = await PageClient.open(url);
  while (sockets.getMetrics().connections === 2) {
    page.send(ask);
    await other.ask({ type: 'ping' }, 'pong');
  }
});

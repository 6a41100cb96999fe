import { connect } from 'node:net';
import { EventBus, EventManagerError, type StreamReader, type StreamRequest } from '@event-manager/core';
import { FaultProxy, SeededChance, simulatedRuntime, VirtualTime } from '@event-manager/testing';
import { expect, it, onTestFinished } from 'vitest';
import { EventIntegratedWebSocketManager } from '../../src/index.ts';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { servePages } from './serve-pages.ts';

const HEARTBEAT_MS = 30_000;
const virtual = () => {
  const time = new VirtualTime();
  return { time, runtime: simulatedRuntime({ clock: time, timers: time, chance: new SeededChance(1) }) };
};

it('pings every thirty seconds, and lets go of a page that was silent from one ping to the next', async () => {
  const { time, runtime } = virtual();
  const { sockets, url } = await servePages({ runtime });
  const page = await PageClient.open(url);
  let pings = 0;
  page.socket.on('ping', () => pings++);
  for (let round = 1; round <= 3; round++) {
    await time.advance(HEARTBEAT_MS);
    await until(() => pings === round);
    // Its pong has to be heard before the next look.
    await page.ask({ type: 'ping' }, 'pong');
  }
  await time.advance(HEARTBEAT_MS - 1);
  expect(pings).toBe(3);
  page.socket.pause();
  await time.advance(1);
  expect(sockets.getMetrics().stale).toBe(0);
  await time.advance(HEARTBEAT_MS);
  expect(sockets.getMetrics().stale).toBe(1);
  await until(() => sockets.getMetrics().connections === 0);
});

it('finds a page whose network is gone without a goodbye, and has everything for it when it comes back', async () => {
  const { bus, sockets, url } = await servePages({ heartbeatInterval: 100 });
  const proxy = await FaultProxy.start(url.replace('ws:', 'http:'));
  onTestFinished(() => proxy.close());
  const through = `ws://127.0.0.1:${new URL(proxy.url).port}/ws`;
  const page = await PageClient.open(through);
  await bus.publish('a', 'a');
  await page.until(() => page.types.length === 1);
  proxy.vanish('client');
  // The kernel takes what is written for a page that is gone: that is no sign of life.
  await until(async () => {
    await bus.publish('b', 'b');
    return sockets.getMetrics().connections === 0;
  });
  expect(sockets.getMetrics().stale).toBe(1);
  const again = await PageClient.open(`${url}?cursor=${page.cursor}`);
  await again.until(() => again.types.length > 0);
  expect(again.types[0]).toBe('b');
});

it('goes back as often as it is asked, and reads one log at a time', async () => {
  const { bus } = await servePages();
  const open = new Set<StreamReader>();
  const events = {
    stream: async (request: StreamRequest) => {
      const stream = await bus.eventManager.stream(request);
      const close = stream.close.bind(stream);
      open.add(stream);
      const forget = () => {
        open.delete(stream);
        close();
      };
      return Object.assign(stream, { close: forget });
    },
  };
  const sockets = new EventIntegratedWebSocketManager({ port: 0 });
  onTestFinished(() => sockets.close());
  await sockets.subscribeToEventBus(events);
  const page = await PageClient.open(`ws://127.0.0.1:${sockets.port}/ws`);
  const { cursor } = page.frames[0];
  for (const type of ['a', 'b']) await bus.publish(type, type);
  await page.until(() => page.types.length === 2);
  for (let time = 0; time < 5; time++) page.send({ type: 'subscribe', ref: time, eventTypes: ['#'], from: cursor });
  await page.until(() => page.ofType('subscribed').length === 5);
  const last = page.frames.findIndex(({ ref }) => ref === 4);
  await bus.publish('c', 'c');
  await page.until(() => page.types.at(-1) === 'c');
  const after = page.frames.slice(last).flatMap(({ event }) => (event ? [event.type] : []));
  expect(after.slice(-3)).toEqual(['a', 'b', 'c']);
  expect(after.filter((type) => type === 'c')).toHaveLength(1);
  expect(open.size).toBe(1);
});

it('gives a page that does not read only so long at the end', async () => {
  const { bus, sockets, url } = await servePages({ drainMs: 100 });
  const page = await PageClient.open(url);
  page.socket.pause();
  const text = 'x'.repeat(100_000);
  while (sockets.getMetrics().queued === 0) {
    await bus.publish('load', 'load', { text });
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sockets.close();
  expect(sockets.getMetrics()).toMatchObject({ connections: 0, queued: 0 });
});

/** A log that answers as the test says. */
function servedBy(next: () => ReturnType<StreamReader['next']>, failures: unknown[] = []) {
  const { time, runtime } = virtual();
  const stream = { cursor: '', next, close: () => {} } as unknown as StreamReader;
  const sockets = new EventIntegratedWebSocketManager({ port: 0, runtime, onFailure: (error) => failures.push(error) });
  onTestFinished(() => sockets.close());
  return { time, sockets, events: { stream: async () => stream } };
}

it('waits while the store is away, and tells a page to come again when the log cannot be read', async () => {
  let asked = 0;
  const failures: unknown[] = [];
  const { time, sockets, events } = servedBy(async () => {
    if (++asked <= 3) throw new EventManagerError('store_unavailable', 'It is away.');
    throw new EventManagerError('corrupt_record', 'It is damaged.');
  }, failures);
  await sockets.subscribeToEventBus(events);
  const page = await PageClient.open(`ws://127.0.0.1:${sockets.port}/ws`);
  await until(() => asked === 1);
  await time.advance(499);
  expect(asked).toBe(1);
  await time.advance(1);
  await until(() => asked === 2);
  await time.advance(1_000);
  expect((await page.untilOver()).code).toBe(1_011);
  expect(failures).toMatchObject([{ code: 'corrupt_record' }]);
});

it('says goodbye to pages when the bus is closed before it', async () => {
  const { bus, sockets, url } = await servePages();
  const page = await PageClient.open(url);
  await bus.close();
  const late = new PageClient(url);
  expect((await late.untilOver()).code).toBe(1_001);
  expect((await page.untilOver()).code).toBe(1_001);
  await until(() => sockets.getMetrics().connections === 0);
});

it('compresses what is long where that was asked for', async () => {
  const { bus, url } = await servePages({ enableCompression: true });
  const page = await PageClient.open(url);
  expect(page.socket.extensions).toContain('permessage-deflate');
  const text = 'long '.repeat(10_000);
  await bus.publish('a', 'a', { text });
  await page.until(() => page.types.length === 1);
  expect(page.ofType('event')[0].event.payload.text).toBe(text);
  const { bytesRead } = (page.socket as unknown as { _socket: { bytesRead: number } })._socket;
  expect(bytesRead).toBeLessThan(text.length / 5);
});

it('answers with 503 where even those who are turned away are too many', async () => {
  const { sockets, url } = await servePages({ maxConnections: 1 });
  const page = await PageClient.open(url);
  const { port } = new URL(url);
  const handshake = [
    'GET /ws HTTP/1.1',
    'host: localhost',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    '',
    '',
  ].join('\r\n');
  const answers: string[] = [];
  const raw = Array.from({ length: 130 }, () => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(handshake));
    socket.on('error', () => {});
    // Whoever never answers the goodbye keeps its place until its time is over.
    socket.once('data', (data) => answers.push(String(data).split('\r\n')[0]!));
    return socket;
  });
  onTestFinished(() => {
    for (const socket of raw) socket.destroy();
  });
  await until(() => answers.length === 130);
  expect(answers.filter((line) => line.includes('101'))).toHaveLength(100);
  expect(answers.filter((line) => line.includes('503'))).toHaveLength(30);
  await page.ask({ type: 'ping' }, 'pong');
  expect(sockets.getMetrics()).toMatchObject({ connections: 1, refused: 130 });
});

it('begins at an end of the log where a page says so', async () => {
  const { bus, url } = await servePages();
  await bus.publish('a', 'a');
  const page = await PageClient.open(`${url}?cursor=earliest`);
  await page.until(() => page.types.length === 1);
  await page.ask({ type: 'subscribe', eventTypes: ['#'], from: 'earliest' });
  await page.until(() => page.types.length === 2);
  expect((await PageClient.open(`${url}?cursor=latest`)).frames).toHaveLength(1);
});

it('follows an event manager without a bus as well', async () => {
  const bus = new EventBus();
  const first = await servePages({}, bus);
  const second = new EventIntegratedWebSocketManager({ port: 0 });
  onTestFinished(() => second.close());
  await second.subscribeToEventBus(bus.eventManager);
  const pages = [first.url, `ws://127.0.0.1:${second.port}/ws`].map((url) => PageClient.open(url));
  const open = await Promise.all(pages);
  await bus.publish('b', 'b');
  for (const page of open) await page.until(() => page.types.includes('b'));
});

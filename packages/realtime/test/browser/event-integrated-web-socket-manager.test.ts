import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { EventBus } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { readBrowserOptions } from '../../src/browser/browser-options.ts';
import { EventIntegratedWebSocketManager } from '../../src/index.ts';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { servePages } from './serve-pages.ts';

const created = (id: number) => ['task/created', 'task_created', { id }] as const;

it('sends a page everything until it says what it wants, and then that', async () => {
  const { bus, url } = await servePages();
  const page = await PageClient.open(url);
  await bus.publish('task/created', 'task_created', { id: 1 });
  await bus.publish('anything', 'something_else');
  await page.until(() => page.types.length === 2);
  expect(await page.ask({ type: 'subscribe', eventTypes: ['task_created', 'task_updated'] })).toEqual({
    type: 'subscribed',
    eventTypes: ['task_created', 'task_updated'],
  });
  expect((await page.ask({ type: 'unsubscribe', ref: 7, eventTypes: ['task_created'] })).ref).toBe(7);
  await bus.publish('task/created', 'task_created', { id: 2 });
  await bus.publish('task/updated', 'task_updated', { id: 2 });
  await page.until(() => page.types.length === 3);
  expect(page.types).toEqual(['task_created', 'something_else', 'task_updated']);
  const { event, cursor } = page.ofType('event')[0];
  expect(event).toMatchObject({ type: 'task_created', topic: 'task/created', payload: { id: 1 }, source: 'event-bus' });
  expect(cursor).toEqual(expect.any(String));
});

it('takes types away from everything', async () => {
  const { bus, url } = await servePages();
  const page = await PageClient.open(url);
  expect(await page.ask({ type: 'unsubscribe', eventTypes: ['noise.*'] })).toMatchObject({
    eventTypes: ['#'],
    except: ['noise.*'],
  });
  for (const type of ['noise.loud', 'news', 'noise', 'noise.low']) await bus.publish(type, type);
  await page.until(() => page.types.length === 2);
  expect(page.types).toEqual(['news', 'noise']);
});

it('misses nothing for a page that comes back with its last cursor, and repeats nothing', async () => {
  const { bus, sockets, url } = await servePages();
  const page = await PageClient.open(url);
  await bus.publish(...created(1));
  await page.until(() => page.types.length === 1);
  page.socket.terminate();
  await page.untilOver();
  const missed = 3_000;
  for (let id = 2; id <= missed; id++) void bus.publish(...created(id));
  const again = await PageClient.open(`${url}?cursor=${page.cursor}`);
  await again.until(() => again.types.length === missed - 1);
  await bus.publish(...created(missed + 1));
  await again.until(() => again.types.length === missed);
  const ids = again.ofType('event').map(({ event }) => event.payload.id);
  expect(ids).toEqual(Array.from({ length: missed }, (_, index) => index + 2));
  expect(sockets.getMetrics()).toMatchObject({ accepted: 2, resumed: 1, shed: { LOW: 0, NORMAL: 0 } });
});

it('holds what a page says in its address before the first event', async () => {
  const { bus, url } = await servePages();
  const page = await PageClient.open(url);
  for (const type of ['a', 'b.c', 'd']) await bus.publish(type, type);
  await page.until(() => page.types.length === 3);
  const again = await PageClient.open(`${url}?cursor=${page.frames[0].cursor}&eventTypes=a,b.*&eventTypes=e`);
  expect(again.frames[0].eventTypes).toEqual(['a', 'b.*', 'e']);
  await bus.publish('e', 'e');
  await again.until(() => again.types.length === 3);
  expect(again.types).toEqual(['a', 'b.c', 'e']);
  const wrong = await PageClient.open(`${url}?eventTypes=a*`);
  await wrong.until(() => wrong.frames.length === 2);
  expect(wrong.frames[1].error.code).toBe('invalid_pattern');
});

it('goes back to a cursor on an open connection', async () => {
  const { bus, url } = await servePages();
  const page = await PageClient.open(url);
  const { cursor } = page.frames[0];
  for (let id = 1; id <= 3; id++) await bus.publish(...created(id));
  await page.until(() => page.types.length === 3);
  await page.ask({ type: 'subscribe', eventTypes: ['#'], from: cursor });
  await page.until(() => page.types.length === 6);
  expect(page.ofType('event').map(({ event }) => event.payload.id)).toEqual([1, 2, 3, 1, 2, 3]);
});

it('tells a page whose cursor nobody made, and goes on from now', async () => {
  const { bus, url } = await servePages();
  const page = await PageClient.open(`${url}?cursor=nonsense`);
  await page.until(() => page.frames.length === 2);
  expect(page.frames[1]).toMatchObject({ type: 'error', error: { code: 'invalid_cursor' } });
  await bus.publish(...created(1));
  await page.until(() => page.types.length === 1);
});

it('says that a log ended before the cursor of a page', async () => {
  const { bus, url } = await servePages();
  for (let id = 1; id <= 5; id++) await bus.publish(...created(id));
  const first = await PageClient.open(url);
  const other = await servePages();
  const page = await PageClient.open(`${other.url}?cursor=${first.frames[0].cursor}`);
  await page.until(() => page.ofType('gap').length === 1);
  expect(page.ofType('gap')[0]).toMatchObject({ cause: 'ahead', cursor: expect.any(String) });
});

it('answers wrong frames with a code, keeps the page until the tenth, and leaves the others alone', async () => {
  const { bus, sockets, url } = await servePages();
  const [page, other] = [await PageClient.open(url), await PageClient.open(url)];
  const wrong = [
    ['{', 'invalid_json'],
    ['[]', 'invalid_request'],
    ['{"type":"sing"}', 'invalid_request'],
    ['{"type":"subscribe"}', 'invalid_request'],
    ['{"type":"subscribe","eventTypes":[1]}', 'invalid_request'],
    ['{"type":"subscribe","eventTypes":["a*"]}', 'invalid_pattern'],
    ['{"type":"subscribe","eventTypes":[],"more":1}', 'invalid_request'],
    ['{"type":"subscribe","eventTypes":["a"],"from":"x"}', 'invalid_cursor'],
    ['{"type":"ping","type":"ping"}', 'invalid_json'],
  ] as const;
  for (const [frame, code] of wrong) {
    const { error } = await page.ask(frame, 'error');
    expect([frame, error.code]).toEqual([frame, code]);
  }
  await page.ask({ type: 'ping' }, 'pong');
  await bus.publish('a', 'a');
  await Promise.all([page, other].map((each) => each.until(() => each.types.length === 1)));
  page.socket.send(Buffer.from('binary'));
  expect((await page.untilOver()).code).toBe(1_008);
  await other.ask({ type: 'ping' }, 'pong');
  expect(sockets.getMetrics()).toMatchObject({ framesRefused: 10, connections: 1 });
});

it('refuses a frame that is too large (1009)', async () => {
  const { url } = await servePages({ maxFrameBytes: 1_024 });
  const page = await PageClient.open(url);
  page.send(JSON.stringify({ type: 'subscribe', eventTypes: ['x'.repeat(2_000)] }));
  expect((await page.untilOver()).code).toBe(1_009);
});

it('tells a page that there is no room, so that it can come later', async () => {
  const { sockets, url } = await servePages({ maxConnections: 2 });
  const [first] = [await PageClient.open(url), await PageClient.open(url)];
  const third = new PageClient(url);
  expect(await third.untilOver()).toMatchObject({ code: 1_013, reason: expect.stringContaining('Too many') });
  expect(sockets.getMetrics()).toMatchObject({ connections: 2, refused: 1, connectionsMax: 2 });
  first!.socket.close();
  await until(() => sockets.getMetrics().connections === 1);
  await PageClient.open(url);
});

it('lets in pages of the host that is asked and of listed origins, and no others', async () => {
  const own = await servePages();
  const code = async (url: string, headers: Record<string, string>) => {
    const client = new PageClient(url, { headers });
    await until(() => client.refused !== undefined || client.frames.length > 0);
    return client.refused ?? 'in';
  };
  expect(await code(own.url, { origin: 'http://127.0.0.1:3000' })).toBe('in');
  expect(await code(own.url, { origin: 'https://evil.example' })).toBe(403);
  expect(await code(own.url, { origin: 'null' })).toBe(403);
  // A page whose name was made to mean this machine after it was loaded.
  expect(await code(own.url, { origin: 'http://evil.example', host: 'evil.example' })).toBe(403);
  const listed = await servePages({ origins: ['https://desk.example'] });
  expect(await code(listed.url, { origin: 'https://desk.example' })).toBe('in');
  expect(await code(listed.url, { origin: 'https://desk.example.evil' })).toBe(403);
  expect(listed.sockets.getMetrics().refused).toBe(1);
});

it('asks whether a page may come, and takes a failure for no', async () => {
  const failures: unknown[] = [];
  const authorize = async ({ headers }: { headers: Record<string, unknown> }) => {
    if (headers['cookie'] === undefined) throw new TypeError('no cookie');
    return headers['cookie'] === 'session=good';
  };
  const { url } = await servePages({ authorize: authorize as never, onFailure: (error) => failures.push(error) });
  const come = async (headers: Record<string, string>) => {
    const client = new PageClient(url, { headers });
    await until(() => client.refused !== undefined || client.frames.length > 0);
    return client.refused ?? 'in';
  };
  expect(await come({ cookie: 'session=good' })).toBe('in');
  expect(await come({ cookie: 'session=bad' })).toBe(401);
  expect(await come({})).toBe(401);
  expect(failures).toHaveLength(1);
});

it('shares a server with other addresses, and answers what is no WebSocket', async () => {
  const server = createServer((_request, response) => response.end('page')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { sockets } = await servePages({ server });
  await PageClient.open(`ws://127.0.0.1:${port}/ws`);
  const elsewhere = new PageClient(`ws://127.0.0.1:${port}/elsewhere`);
  await until(() => elsewhere.refused !== undefined);
  expect(elsewhere.refused).toBe(404);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
  await sockets.close();
  expect(server.listening).toBe(true);
  const own = await servePages();
  expect((await fetch(own.url.replace('ws', 'http'))).status).toBe(426);
});

it('cuts a page that gives no sign of life, and keeps one that does', async () => {
  const { sockets, url } = await servePages({ heartbeatInterval: 60 });
  const alive = await PageClient.open(url);
  const { port } = new URL(url);
  const silent = connect(Number(port), '127.0.0.1');
  onTestFinished(() => void silent.destroy());
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
  silent.write(
    `GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n${key}\r\n\r\n`,
  );
  silent.resume();
  await until(() => sockets.getMetrics().connections === 2);
  await until(() => sockets.getMetrics().stale === 1);
  await until(() => sockets.getMetrics().connections === 1);
  await alive.ask({ type: 'ping' }, 'pong');
});

it('moves the cursor of a page to which nothing comes', async () => {
  const { bus, url } = await servePages({ heartbeatInterval: 60 });
  const page = await PageClient.open(url);
  await page.ask({ type: 'subscribe', eventTypes: ['wanted'] });
  for (let id = 0; id < 10; id++) await bus.publish('other', 'other');
  await page.until(() => page.ofType('cursor').length === 1);
  const again = await PageClient.open(`${url}?cursor=${page.cursor}`);
  await bus.publish('wanted', 'wanted');
  await again.until(() => again.types.length > 0);
  expect(again.types).toEqual(['wanted']);
});

it('says goodbye (1001) after what waits, and lets nobody in meanwhile', async () => {
  const { bus, sockets, url } = await servePages();
  const page = await PageClient.open(url);
  for (let id = 0; id < 500; id++) void bus.publish(...created(id));
  await bus.publish('last', 'last');
  await until(() => sockets.getMetrics().eventsSent + sockets.getMetrics().queued === 501);
  const closing = sockets.close();
  expect((await page.untilOver()).code).toBe(1_001);
  expect(page.types.at(-1)).toBe('last');
  await closing;
  const late = request({ port: Number(new URL(url).port), host: '127.0.0.1' });
  const [error] = await once(late.end(), 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});

it('refuses words for the bridge that cannot be meant: what was to be hidden would be shown', () => {
  const wrong: [bridge: object, words: RegExp][] = [
    [{ type: { secret: false } }, /no option "type"; it has types,/],
    [{ types: { secret: true } }, /bridge.types\["secret"\] is a name for pages, or false/],
    [{ types: { secret: '' } }, /is a name/],
    [{ transform: { secret: 5 } }, /bridge.transform\["secret"\] is a function/],
    [{ legacy: {} }, /bridge.legacy is a function/],
    [{ rollout: { shares: 0 } }, /no option "shares"/],
  ];
  for (const [bridge, words] of wrong) expect(() => new EventIntegratedWebSocketManager({ bridge })).toThrow(words);
});

it('refuses options that cannot be meant, and a second bus', async () => {
  const make = (options: object) => () => new EventIntegratedWebSocketManager(options);
  expect(make({ maxConections: 5 })).toThrow(/no option "maxConections"/);
  expect(make({ maxConnections: 0 })).toThrow(/maxConnections/);
  expect(make({ path: 'ws' })).toThrow(/slash/);
  expect(make({ bridge: { rollout: { share: 2 } } })).toThrow(/share/);
  expect(make({ topics: 'task.*' })).toThrow(/topics is a list/);
  expect(make({ topics: ['task*'] })).toThrow(/wildcard stands for whole levels/);
  // `'https://app.example.com'.includes('https://app.example.co')`, which somebody else may own.
  expect(make({ origins: 'https://app.example.com' })).toThrow(/origins is a list of origins/);
  expect(make({ origins: ['https://app.example.com/'] })).toThrow(
    /send no origin like .*, but https:\/\/app.example.com\./,
  );
  expect(make({ origins: ['https://app.example.com', 'chrome-extension://abc'] })).not.toThrow();
  const { sockets } = await servePages();
  await expect(sockets.subscribeToEventBus(new EventBus())).rejects.toMatchObject({ code: 'invalid_request' });
  for (const given of [undefined, null, {}]) {
    const other = new EventIntegratedWebSocketManager({ port: 0 });
    await expect(other.subscribeToEventBus(given as never)).rejects.toThrow(/takes an EventBus or an event manager/);
  }
});

it('listens on one address of this machine, and shows pages everything, where nothing else is said', async () => {
  expect(readBrowserOptions({})).toMatchObject({ host: '127.0.0.1', topics: ['#'], origins: undefined });
  expect(readBrowserOptions({})).toMatchObject({ maxFrameBytes: 65_536, drainMs: 1_000 });
  await using bus = new EventBus();
  await using sockets = new EventIntegratedWebSocketManager({ port: 0 });
  await sockets.subscribeToEventBus(bus);
  const dialled = (host: string) => once(connect(sockets.port!, host), 'connect').then(([socket]) => socket);
  await expect(dialled('127.0.0.1')).resolves.toBe(undefined);
  // Whoever listens on every address has this one as well.
  await expect(dialled('127.0.0.2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

it('can be had on a port once that is free, and never again once it is closed', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  await using bus = new EventBus();
  await using sockets = new EventIntegratedWebSocketManager({ port });
  await expect(sockets.subscribeToEventBus(bus)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect([sockets.port, bus.getMetrics()?.parts]).toEqual([undefined, undefined]);
  taken.close();
  await once(taken, 'close');
  await sockets.subscribeToEventBus(bus);
  expect([sockets.port, Object.keys(bus.getMetrics()?.parts ?? {})]).toEqual([port, ['webSockets']]);
  await sockets.close();
  await expect(sockets.subscribeToEventBus(bus)).rejects.toMatchObject({ code: 'closed' });
});

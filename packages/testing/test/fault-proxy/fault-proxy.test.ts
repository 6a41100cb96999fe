import { once } from 'node:events';
import { systemChance } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../src/conformance/until.ts';
import { FaultProxy } from '../../src/fault-proxy/fault-proxy.ts';
import { VirtualTime } from '../../src/virtual-time.ts';
import { EchoClient, type EchoServer, startEcho } from './echo-server.ts';

interface Network {
  readonly echo: EchoServer;
  readonly proxy: FaultProxy;
  readonly time: VirtualTime;
  connect(): Promise<EchoClient>;
}

/** The network runs on a virtual clock: a test decides when what is on its way arrives. */
async function network(): Promise<Network> {
  const echo = await startEcho();
  const time = new VirtualTime();
  const proxy = await FaultProxy.start(echo.url, { runtime: { clock: time, timers: time, chance: systemChance } });
  onTestFinished(() => proxy.close());
  const connect = async () => {
    const before = echo.sockets.length;
    const client = new EchoClient(proxy.url);
    await until('the server has the connection', () => echo.sockets.length > before);
    return client;
  };
  return { echo, proxy, time, connect };
}

it('passes bytes and both ends unchanged while there is no fault', async () => {
  const { proxy, connect } = await network();
  const client = await connect();
  const text = 'event '.repeat(300_000);
  client.socket.end(text);
  await once(client.socket, 'end');
  expect(client.received === text).toBe(true);
  await until('nothing is open', () => proxy.counts.open === 0);
  expect(proxy.counts).toEqual({
    accepted: 1,
    open: 0,
    refused: 0,
    forwarded: { up: text.length, down: text.length },
    held: { up: 0, down: 0 },
  });
});

it('delays each direction by its own latency, and the end with the bytes', async () => {
  const { proxy, time, connect } = await network();
  const client = await connect();
  proxy.set({ latencyMs: 200 }, 'up');
  proxy.set({ latencyMs: 50 }, 'down');
  client.socket.write('a');
  await until('it is on its way up', () => proxy.counts.held.up === 1);
  await time.advance(199);
  expect(proxy.counts.held.up).toBe(1);
  await time.advance(1);
  await until('it is on its way down', () => proxy.counts.held.down === 1);
  await time.advance(49);
  expect(proxy.counts.held.down).toBe(1);
  client.socket.end();
  await time.advance(1);
  await until('it came', () => client.received === 'a');
});

it('does not let latency limit how much is on its way', async () => {
  const { proxy, time, connect } = await network();
  const client = await connect();
  proxy.set({ latencyMs: 1_000 }, 'up');
  client.socket.write('a');
  await until('one is on its way', () => proxy.counts.held.up === 1);
  await time.advance(600);
  client.socket.write('b');
  await until('both are on their way', () => proxy.counts.held.up === 2);
  await time.advance(400);
  await until('the first came back', () => client.received === 'a');
  await time.advance(600);
  await until('the second came back', () => client.received === 'ab');
});

it('keeps a bandwidth, and forgets it when it is switched off under way', async () => {
  const { proxy, time, connect } = await network();
  const client = await connect();
  proxy.set({ bytesPerSecond: 1_000 }, 'down');
  client.socket.write('x'.repeat(10_000));
  await until('it is on its way back', () => proxy.counts.held.down > 9_000);
  for (let second = 1; second <= 3; second++) {
    // Real writes lie between the virtual waits, so the clock goes on in steps as small as they are.
    for (let step = 0; step < 100; step++) await time.advance(10);
    await until('a second’s worth passed', () => proxy.counts.forwarded.down >= second * 900);
    expect(proxy.counts.forwarded.down).toBeLessThanOrEqual(second * 1_000 + 50);
  }
  proxy.heal();
  await until('the rest came at once', () => client.received.length === 10_000);
});

it('slices: a reader gets pieces cut at every place', async () => {
  const { echo, proxy, time, connect } = await network();
  onTestFinished(time.runInBackground());
  const client = await connect();
  proxy.set({ sliceBytes: 1 }, 'up');
  const text = 'cut me anywhere, I am not a frame';
  client.socket.write(text);
  await until('all came back', () => client.received === text);
  expect(echo.pieces.length).toBeGreaterThan(text.length / 4);
});

it('holds everything in a black hole, an end as well, and lets it pass afterwards', async () => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  proxy.set({ blackHole: true }, 'up');
  client.socket.end('lost?');
  await until('the proxy has it', () => proxy.counts.held.up === 5);
  expect(echo.pieces).toEqual([]);
  expect(proxy.counts.open).toBe(1);
  proxy.heal();
  await once(client.socket, 'end');
  expect(client.received).toBe('lost?');
});

it('holds an end that comes alone in a black hole', async () => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  proxy.set({ blackHole: true });
  client.socket.end();
  const later = await connect();
  later.socket.write('x');
  await until('the proxy read what came after the end', () => proxy.counts.held.up === 1);
  const beside = new EchoClient(echo.url);
  beside.socket.write('y');
  await until('the server had its chance to see the end', () => beside.received === 'y');
  expect(echo.sockets[0]!.readableEnded).toBe(false);
  proxy.heal();
  await once(client.socket, 'end');
});

it('lets a black hole work in one direction alone', async () => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  proxy.set({ blackHole: true }, 'down');
  client.socket.write('asked');
  await until('the answer is held', () => proxy.counts.held.down === 5);
  expect(Buffer.concat(echo.pieces).toString()).toBe('asked');
  expect(client.received).toBe('');
});

it('makes new connections that say nothing while there is a black hole', async () => {
  const { proxy, connect } = await network();
  proxy.set({ blackHole: true });
  const client = await connect();
  client.socket.write('hello');
  await until('it is held', () => proxy.counts.held.up === 5);
  proxy.heal();
  await until('it came back', () => client.received === 'hello');
});

it('tells a peer only after the black hole that the other gave up', async () => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  proxy.set({ blackHole: true });
  client.socket.resetAndDestroy();
  const other = await connect();
  other.socket.write('x');
  await until('the proxy read something after the reset', () => proxy.counts.held.up === 1);
  expect(echo.sockets[0]!.destroyed).toBe(false);
  proxy.heal();
  await until('the server heard of it', () => echo.sockets[0]!.destroyed);
  await until('only the other is open', () => proxy.counts.open === 1);
});

it('resets both peers at once', async () => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  proxy.reset();
  await until('both are gone', () => client.socket.destroyed && echo.sockets[0]!.destroyed);
  expect(client.error).toBe('ECONNRESET');
  expect(proxy.counts.open).toBe(0);
  const next = await connect();
  next.socket.write('again');
  await until('a new connection works', () => next.received === 'again');
});

it('cuts before the bytes that a test names', async () => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  proxy.cutWhen((direction, bytes) => direction === 'down' && bytes.includes('commit'));
  client.socket.write('begin');
  await until('what does not match passes', () => client.received === 'begin');
  client.socket.write('commit');
  await until('the connection is cut', () => client.socket.destroyed);
  expect(Buffer.concat(echo.pieces).toString()).toBe('begincommit');
  expect(client.received).toBe('begin');
  expect(client.error).toBe('ECONNRESET');
});

it.each(['client', 'server'] as const)('leaves the other half open when the %s vanishes', async (peer) => {
  const { echo, proxy, connect } = await network();
  const client = await connect();
  const gone = peer === 'client' ? client.socket : echo.sockets[0]!;
  const left = peer === 'client' ? echo.sockets[0]! : client.socket;
  proxy.vanish(peer);
  await until('one is gone', () => gone.destroyed);
  await new Promise<void>((resolve) => left.write('is anybody there?', () => resolve()));
  expect(left.destroyed).toBe(false);
  expect(proxy.counts.open).toBe(1);
  left.destroy();
  await until('nothing is open', () => proxy.counts.open === 0);
});

it('refuses new connections while it was told to, and keeps the old', async () => {
  const { proxy, connect } = await network();
  const old = await connect();
  proxy.refuse(true);
  const refused = new EchoClient(proxy.url);
  await until('it was reset', () => refused.socket.destroyed);
  old.socket.write('still here');
  await until('the old one works', () => old.received === 'still here');
  expect(proxy.counts).toMatchObject({ accepted: 2, open: 1, refused: 1 });
  proxy.heal();
  const next = await connect();
  next.socket.write('back');
  await until('a new one works', () => next.received === 'back');
});

it('resets a client when nobody listens at the target', async () => {
  const echo = await startEcho();
  const silent = await FaultProxy.start(echo.url);
  const target = silent.url;
  await silent.close();
  await using proxy = await FaultProxy.start(target);
  const client = new EchoClient(proxy.url);
  await until('it was reset', () => client.socket.destroyed);
  expect(proxy.counts).toMatchObject({ accepted: 1, open: 0, refused: 1 });
});

it('leads connections to come to another server, and leaves those that there are', async () => {
  const { echo, proxy, connect } = await network();
  const before = await connect();
  const other = await startEcho();
  proxy.turnTo(other.url);
  const after = new EchoClient(proxy.url);
  await until('the other server has the connection', () => other.sockets.length === 1);
  before.socket.write('before');
  after.socket.write('after');
  await until('both are answered', () => before.received === 'before' && after.received === 'after');
  expect(echo.sockets).toHaveLength(1);
  expect(() => proxy.turnTo('tcp://127.0.0.1')).toThrow(TypeError);
});

it('lets a connection end that was ended before the way to the server was open', async () => {
  const { proxy } = await network();
  const client = new EchoClient(proxy.url);
  client.socket.once('connect', () => client.socket.end());
  await until('the connection is over', () => proxy.counts.accepted === 1 && proxy.counts.open === 0);
});

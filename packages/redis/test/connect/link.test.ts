import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { systemRuntime } from '@event-manager/core';
import { FaultProxy } from '@event-manager/testing';
import { createTestKeys, missingServer } from '@event-manager/testing/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Link } from '../../src/connect/link.ts';
import { readUrl } from '../../src/connect/read-url.ts';
import { until } from '../support/until.ts';

const missing = await missingServer('redis');

function linkTo(url: string, place = 'test:all'): Link {
  const link = new Link({
    address: readUrl(url),
    runtime: systemRuntime,
    beat: () => ({ place, text: 'beat' }),
    onChange: () => {},
  });
  onTestFinished(() => link.close());
  return link;
}

it('gives up a server that takes connections and says nothing, and says so', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.resume())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const link = linkTo(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const askedAtMs = performance.now();
  await link.start();
  expect(performance.now() - askedAtMs).toBeLessThan(4_000);
  expect(link.state).toMatchObject({ isUp: false, reason: 'Redis does not answer.' });
  await until(() => sockets[0]!.closed);
  expect(link.say('test:all', 'x')).toBeUndefined();
  // It comes back by itself.
  await until(() => sockets.length === 2);
});

describe.skipIf(missing !== undefined)('the connection to Redis', () => {
  it('leaves nothing open when it is closed while it connects', async () => {
    const { url } = await createTestKeys();
    await using proxy = await FaultProxy.start(url);
    proxy.set({ latencyMs: 200 });
    const link = linkTo(proxy.url);
    const started = link.start();
    link.close();
    await started;
    expect(link.state.isUp).toBe(false);
    await until(() => proxy.counts.accepted > 0 && proxy.counts.open === 0);
  });

  it('holds no more than it may in memory while the server takes nothing', async () => {
    const { url, keyPrefix } = await createTestKeys();
    await using proxy = await FaultProxy.start(url);
    const link = linkTo(proxy.url, `${keyPrefix}all`);
    await link.start();
    proxy.set({ blackHole: true });
    const said: Promise<void>[] = [];
    for (;;) {
      const one = link.say(`${keyPrefix}all`, 'x'.repeat(65_536));
      if (one === undefined) break;
      said.push(one);
    }
    expect(said.length).toBe(64);
    // What was said is answered for, one way or the other, and forgotten.
    await Promise.all(said);
    proxy.heal();
    await until(() => link.state.isUp);
    await link.say(`${keyPrefix}all`, 'x');
  });

  it('has said all when it is asked to end after that', async () => {
    const { url, keyPrefix } = await createTestKeys();
    await using proxy = await FaultProxy.start(url);
    const [place, count] = [`${keyPrefix}a`, 200];
    const [speaking, hearing] = [linkTo(proxy.url, `${keyPrefix}all`), linkTo(url, `${keyPrefix}all`)];
    const heard: string[] = [];
    await hearing.hear(place, (text) => heard.push(text));
    await Promise.all([speaking.start(), hearing.start()]);
    proxy.set({ latencyMs: 50 });
    for (let n = 1; n <= count; n++) void speaking.say(place, String(n));
    await speaking.said();
    speaking.close();
    expect(heard.length).toBe(count);
    const dead = linkTo(proxy.url, `${keyPrefix}all`);
    await dead.start();
    proxy.set({ blackHole: true });
    void dead.say(place, 'x');
    const askedAtMs = performance.now();
    await dead.said();
    expect(performance.now() - askedAtMs).toBeLessThan(1_400);
  });

  it('hears what it was told to hear, however often the connection is made anew', async () => {
    const { url, keyPrefix } = await createTestKeys();
    await using proxy = await FaultProxy.start(url);
    const [place, later] = [`${keyPrefix}a`, `${keyPrefix}b`];
    const link = linkTo(proxy.url, `${keyPrefix}all`);
    const heard: string[] = [];
    await link.hear(place, (text) => heard.push(`a ${text}`));
    await link.start();
    await link.hear(later, (text) => heard.push(`b ${text}`));
    expect([link.isHearing(place), link.isHearing(later)]).toEqual([true, true]);
    for (let n = 1; n <= 3; n++) {
      proxy.reset();
      await until(() => link.losses === n && link.state.isUp);
      await link.say(place, String(n));
      await link.say(later, String(n));
      await until(() => heard.length === 2 * n);
    }
    expect(heard).toEqual(['a 1', 'b 1', 'a 2', 'b 2', 'a 3', 'b 3']);
  });
});

import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { PageAddresses } from '../../src/browser/page-addresses.ts';
import { until } from '../until.ts';
import { PageClient } from './page-client.ts';
import { servePages } from './serve-pages.ts';

type Request = Parameters<PageAddresses['take']>[0];

const from = (address: string | undefined) => ({ socket: { remoteAddress: address } }) as Request;
const socket = () => new Duplex({ read() {}, write() {} });

/** `in`, the close code or the HTTP status that a page gets. */
async function come(url: string, address?: string): Promise<'in' | number> {
  const client = new PageClient(url, address === undefined ? {} : { headers: { 'x-real-ip': address } });
  await until(() => client.frames.length > 0 || client.closed !== undefined || client.refused !== undefined);
  return client.refused ?? client.closed?.code ?? 'in';
}

it('tells a page to come later when its address has as many as it may, and lets it in when one has left', async () => {
  const { sockets, url } = await servePages({ maxConnectionsPerAddress: 2 });
  const first = await PageClient.open(url);
  expect(await come(url)).toBe('in');
  const third = new PageClient(url);
  expect(await third.untilOver()).toMatchObject({ code: 1_013, reason: expect.stringContaining('of this address') });
  expect(sockets.getMetrics()).toMatchObject({ connections: 2, refused: 1, crowded: 1 });
  first.socket.close();
  await first.untilOver();
  await until(() => sockets.getMetrics().connections === 1);
  expect(await come(url)).toBe('in');
});

it('counts by what `addressOf` reads, so that pages behind one proxy are not one', async () => {
  const { sockets, url } = await servePages({
    maxConnectionsPerAddress: 1,
    addressOf: ({ headers }) => headers['x-real-ip'] as string | undefined,
  });
  expect(await come(url, '192.0.2.1')).toBe('in');
  expect(await come(url, '192.0.2.2')).toBe('in');
  expect(await come(url, '192.0.2.1')).toBe(1_013);
  // Without the header nobody knows whose it is.
  expect([await come(url), await come(url)]).toEqual(['in', 'in']);
  expect(sockets.getMetrics().crowded).toBe(1);
});

it('takes what `addressOf` throws for no, and goes on', async () => {
  const failures: unknown[] = [];
  const { url } = await servePages({
    maxConnectionsPerAddress: 1,
    addressOf: ({ headers }) => (headers['x-real-ip'] as string).trim(),
    onFailure: (error) => failures.push(error),
  });
  expect(await come(url)).toBe(401);
  expect(await come(url, ' 192.0.2.1')).toBe('in');
  expect(failures).toHaveLength(1);
});

/** One address that never stops asking must not keep the others out. */
it('lets others in however many of one address are turned away', async () => {
  const { sockets, url } = await servePages({
    maxConnectionsPerAddress: 1,
    addressOf: ({ headers }) => headers['x-real-ip'] as string | undefined,
  });
  expect(await come(url, '192.0.2.1')).toBe('in');
  const headers = { 'x-real-ip': '192.0.2.1' };
  const { port } = new URL(url);
  // They never answer the goodbye, so that each stays as long as it is let.
  const crowd = Array.from({ length: 150 }, () => {
    const silent = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void silent.destroy());
    const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==';
    const asked = `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n${key}`;
    silent.on('error', () => {});
    silent.write(`GET /ws HTTP/1.1\r\nhost: localhost\r\n${asked}\r\nx-real-ip: ${headers['x-real-ip']}\r\n\r\n`);
    return silent;
  });
  await until(() => sockets.getMetrics().crowded === crowd.length);
  expect(await come(url, '192.0.2.9')).toBe('in');
  expect(sockets.getMetrics()).toMatchObject({ connections: 2, refused: crowd.length, crowded: crowd.length });
});

it('gives a place back when the socket is closed, whatever became of it', async () => {
  let isGood = false;
  const { sockets, url } = await servePages({ maxConnectionsPerAddress: 1, authorize: () => isGood });
  expect(await come(url)).toBe(401);
  await until(() => sockets.getMetrics().refused === 1);
  isGood = true;
  expect(await come(url)).toBe('in');
});

it('counts whoever still waits for `authorize`', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let asked = 0;
  const authorize = () => {
    asked++;
    return promise;
  };
  const { url } = await servePages({ maxConnectionsPerAddress: 1, authorize });
  const first = new PageClient(url);
  await until(() => asked === 1);
  expect(await come(url)).toBe(1_013);
  expect(asked).toBe(1);
  resolve(true);
  await first.until(() => first.frames.length > 0);
});

it.each([
  ['192.0.2.1', '192.0.2.1', false],
  ['192.0.2.1', '192.0.2.2', true],
  ['192.0.2.1', '::ffff:192.0.2.1', false],
  ['::ffff:192.0.2.1', '::FFFF:192.0.2.2', true],
  ['2001:db8::1', '2001:0db8:0:0:ffff:ffff:ffff:ffff', false],
  ['2001:db8::1', '2001:db8:0:1::1', true],
  ['fe80::1%eth0', 'fe80::2%eth0', false],
  ['::1', '::1', false],
  ['64:ff9b::192.0.2.1', '64:ff9b::192.0.2.2', false],
])('%s and %s have places of their own: %s', (one, other, areApart) => {
  const addresses = new PageAddresses({ maxConnectionsPerAddress: 1, addressOf: undefined });
  expect(addresses.take(from(one), socket())).toBe(true);
  expect(addresses.take(from(other), socket())).toBe(areApart);
});

it('counts nobody without a limit, and nobody without an address', () => {
  const free = new PageAddresses({ maxConnectionsPerAddress: undefined, addressOf: undefined });
  const limited = new PageAddresses({ maxConnectionsPerAddress: 1, addressOf: undefined });
  for (let n = 0; n < 5; n++) {
    expect(free.take(from('192.0.2.1'), socket())).toBe(true);
    expect(limited.take(from(undefined), socket())).toBe(true);
  }
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { addressGuard } from '@event-manager/webhook';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { dial } from '../../src/link/dial.ts';
import { sinkTo } from '../sink-under-test.ts';

/** All of 127/8 is loopback: this one address stands for the public internet, 127.0.0.1 for the inside. */
const PUBLIC = '127.0.0.2';
const INSIDE = '127.0.0.1';
const DIALS = 200;
/** One of each kind; the guard itself is held against all of them in its own package. */
const FORBIDDEN = [
  'ws://127.0.0.1/',
  'wss://127.1:8443/',
  'ws://0.0.0.0/',
  'ws://2130706433/',
  'ws://0x7f.1/',
  'ws://017700000001/',
  'ws://localhost/',
  'ws://LOCALHOST./',
  'ws://a.localhost/',
  'ws://10.1.2.3/',
  'ws://172.16.0.1/',
  'ws://192.168.1.1/',
  'ws://100.64.0.1/',
  'ws://169.254.169.254/latest/meta-data',
  'ws://metadata.google.internal/',
  'ws://[::1]/',
  'ws://[::]/',
  'ws://[::ffff:127.0.0.1]/',
  'ws://[64:ff9b::7f00:1]/',
  'ws://[fd00:ec2::254]/',
  'ws://[fe80::1]/',
  'ws://１２７.0.0.1/',
];

async function accepting(host: string, port = 0) {
  const server = new WebSocketServer({ host, port });
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.close();
  });
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

describe('dial', () => {
  it.each(FORBIDDEN)('is never asked for %s', (endpoint) => {
    expect(() => sinkTo(endpoint, { guard: addressGuard() })).toThrow(
      expect.objectContaining({ code: 'endpoint_blocked' }),
    );
  });

  it('connects only to what was judged, whatever a name answers the next time', async () => {
    const receiver = await accepting(PUBLIC);
    const canary = await accepting(INSIDE, receiver.port);
    let asked = 0;
    const resolve = async () => [{ address: ++asked % 2 === 0 ? INSIDE : PUBLIC, family: 4 as const }];
    const url = new URL(`ws://rebinding.example:${receiver.port}/`);
    const ends = { open: 0, blocked: 0 };
    for (let dials = 0; dials < DIALS; dials++) {
      const guard = addressGuard({ allow: [PUBLIC] });
      const socket = dial({ url, headers: {}, compression: false, guard, resolve });
      await new Promise<void>((ended) => {
        socket.on('open', () => ends.open++);
        socket.on('error', (error: Error & { code?: string }) => {
          if (error.code === 'endpoint_blocked') ends.blocked++;
        });
        socket.on('close', () => ended());
      });
    }
    expect(canary.connections()).toBe(0);
    expect([asked, ends, receiver.connections()]).toEqual([DIALS, { open: DIALS / 2, blocked: DIALS / 2 }, DIALS / 2]);
  });

  it('refuses a name with a good and a bad address', async () => {
    const canary = await accepting(INSIDE);
    const answers = [PUBLIC, INSIDE].map((address) => ({ address, family: 4 as const }));
    const url = new URL(`ws://mixed.example:${canary.port}/`);
    const guard = addressGuard({ allow: [PUBLIC] });
    const socket = dial({ url, headers: {}, compression: false, guard, resolve: async () => answers });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'endpoint_blocked' });
    expect(canary.connections()).toBe(0);
  });
});

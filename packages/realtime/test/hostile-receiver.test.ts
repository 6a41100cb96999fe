import { once } from 'node:events';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { RealtimeState, Sink } from '@event-manager/core';
import { addressGuard } from '@event-manager/webhook';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { deliver, delivery, sinkTo } from './sink-under-test.ts';
import { until } from './until.ts';

const stateOf = (sink: Sink): RealtimeState => sink.realtime!;

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Accepts connections and does with each what a test wants. */
async function peer(behave: (socket: WebSocket) => void, options: object = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.on('error', () => {});
    behave(socket);
  });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, connections: () => connections };
}

/** Nothing that a receiver does may hang deliveries, fill memory, end the process, or count against events it never had. */
describe('a receiver that is none', () => {
  it('never answers: it counts as away after a second', async () => {
    const sockets: Socket[] = [];
    const url = await listening(createTcpServer((socket) => void sockets.push(socket)));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const sink = sinkTo(url);
    const waiting = deliver(sink, [delivery()]);
    const startedMs = performance.now();
    await until(() => sink.isUp === false, 3_000);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    expect(await waiting).toEqual([{ status: 'release' }]);
    expect(await deliver(sink, [delivery()])).toEqual([{ status: 'release' }]);
  });

  it('redirects: nobody follows', async () => {
    let canary = 0;
    const inside = await listening(
      createHttpServer().on('upgrade', (_, socket) => {
        canary++;
        socket.destroy();
      }),
    );
    const server = createHttpServer().on('upgrade', (_, socket) => {
      socket.end(`HTTP/1.1 301 Moved Permanently\r\nLocation: ${inside}\r\nConnection: close\r\n\r\n`);
    });
    const sink = sinkTo(await listening(server));
    await until(() => sink.isUp === false);
    expect(stateOf(sink)).toMatchObject({ connected: false, lastError: { code: 'http_301' } });
    expect(canary).toBe(0);
  });

  it('speaks another protocol: no connection is made', async () => {
    const { url } = await peer(() => {}, { handleProtocols: () => false });
    const sink = sinkTo(url);
    await until(() => sink.isUp === false);
    expect(stateOf(sink).lastError).toMatchObject({ code: 'invalid_response' });
  });

  it('answers with what is no HTTP', async () => {
    const url = await listening(createTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    const sink = sinkTo(url);
    await until(() => sink.isUp === false);
    expect(stateOf(sink).lastError).toMatchObject({
      code: expect.stringMatching(/invalid_response|network_error|connection_reset/),
    });
  });

  it('accepts and hangs up at once: it is tried more and more seldom, and counts as away', async () => {
    const atMs: number[] = [];
    const { url } = await peer((socket) => {
      atMs.push(performance.now());
      socket.close(1_011);
    });
    const sink = sinkTo(url);
    await until(() => atMs.length >= 7);
    await until(() => sink.isUp === false);
    expect(atMs[6]! - atMs[5]!).toBeGreaterThan(200);
    expect(stateOf(sink).lastError).toMatchObject({ code: 'connection_lost' });
  });
});

describe('a receiver that misbehaves', () => {
  it.each([
    ['text that is no JSON', (socket: WebSocket) => socket.send('hello')],
    ['numbers that are none', (socket: WebSocket) => socket.send('{"type":"ack","deliveries":[1.5]}')],
    ['types that nobody knows', (socket: WebSocket) => socket.send('{"type":"sing"}')],
    ['JSON as deep as it goes', (socket: WebSocket) => socket.send('['.repeat(50_000))],
    ['bytes', (socket: WebSocket) => socket.send(Buffer.alloc(100, 255))],
    [
      'a reason without end',
      (socket: WebSocket) => socket.send(`{"type":"nack","deliveries":[1],"error":"${'x'.repeat(2_000)}"}`),
    ],
    [
      'more beside a reason than is kept',
      (socket: WebSocket) => socket.send(`{"type":"nack","deliveries":[1],"metadata":{"a":"${'x'.repeat(2_000)}"}}`),
    ],
  ])('sends %s: it is cut after ten, and nothing counts as failed', async (_, send) => {
    const { url } = await peer((socket) => {
      for (let frame = 0; frame < 12; frame++) send(socket);
    });
    const sink = sinkTo(url, { reconnectAttempts: 1 });
    await until(() => stateOf(sink).lastError?.code === 'invalid_frame');
  });

  it('sends frames larger than any answer: it is cut without them being kept', async () => {
    const { url } = await peer((socket) => socket.send('x'.repeat(300 * 1024)));
    const sink = sinkTo(url, { reconnectAttempts: 1 });
    await until(() => stateOf(sink).lastError?.code === 'invalid_frame');
  });

  it('is half gone: it is found by a ping within two heartbeats', async () => {
    const { url, connections } = await peer(
      (socket) => {
        socket.on('ping', () => {});
      },
      { autoPong: false },
    );
    const sink = sinkTo(url, { heartbeatMs: 100, bufferSize: 5 });
    await until(() => stateOf(sink).connected);
    const waiting = deliver(sink, [delivery()]);
    const startedMs = performance.now();
    expect(await waiting).toEqual([{ status: 'release' }]);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await until(() => connections() > 1);
  });

  it('takes no large frames: the event that is too large fails, and the others go on', async () => {
    const { url } = await peer(
      (socket) => {
        socket.on('message', (data) => {
          const { type, deliveries = [] } = JSON.parse(String(data));
          if (type !== 'delivery') return;
          const numbers = deliveries.map((entry: { delivery: number }) => entry.delivery);
          if (deliveries.some(({ event }: { event: { payload: object } }) => 'answered' in event.payload)) {
            socket.send(JSON.stringify({ type: 'ack', deliveries: numbers }));
          }
        });
      },
      { maxPayload: 8 * 1024 },
    );
    const sink = sinkTo(url);
    await until(() => stateOf(sink).connected);
    const outcomes = [
      deliver(sink, [delivery({ answered: true })]),
      deliver(sink, [delivery()]),
      deliver(sink, [delivery({ text: 'x'.repeat(16 * 1024) })]),
    ];
    const error = { code: 'frame_too_large', message: 'The receiver takes no frame so large.' };
    expect(await Promise.all(outcomes)).toEqual([
      [{ status: 'delivered' }],
      [{ status: 'release' }],
      [{ status: 'retry', error }],
    ]);
  });

  it('says goodbye and does not hang up: what it had is released in a moment', async () => {
    const { url, connections } = await peer((socket) => {
      socket.on('message', (data) => {
        if (JSON.parse(String(data)).type !== 'delivery') return;
        const { _socket: connection } = socket as unknown as { _socket: Socket };
        connection.pause();
        connection.write(Buffer.from([0x88, 0x00]));
      });
    });
    const sink = sinkTo(url);
    const startedMs = performance.now();
    expect(await deliver(sink, [delivery()])).toEqual([{ status: 'release' }]);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await until(() => connections() > 1);
  });

  it('floods with pings: it is cut', async () => {
    const { url } = await peer((socket) => {
      for (let ping = 0; ping < 300; ping++) socket.ping();
    });
    const sink = sinkTo(url, { reconnectAttempts: 1 });
    await until(() => stateOf(sink).lastError?.code === 'ping_flood');
  });

  it('floods with pings of the protocol and reads no pong: it is cut, and nothing gathers', async () => {
    const { url } = await peer((socket) => {
      for (let ping = 0; ping < 300; ping++) socket.send('{"type":"ping"}');
    });
    const sink = sinkTo(url, { reconnectAttempts: 1 });
    await until(() => stateOf(sink).lastError?.code === 'ping_flood');
  });

  it('answers for deliveries that it never had, and twice for one: only what is owed is settled', async () => {
    const { url } = await peer((socket) => {
      socket.send('{"type":"ack","deliveries":[1,2,3,99]}');
      socket.on('message', (data) => {
        const frame = JSON.parse(String(data));
        if (frame.type !== 'delivery') return;
        const numbers = frame.deliveries.map((entry: { delivery: number }) => entry.delivery);
        socket.send(JSON.stringify({ type: 'nack', deliveries: [numbers[0]], retry: false, error: 'no' }));
        socket.send(JSON.stringify({ type: 'ack', deliveries: [numbers[0], numbers[0], 4_000] }));
        socket.send(JSON.stringify({ type: 'ack', deliveries: numbers }));
      });
    });
    const sink = sinkTo(url);
    await until(() => stateOf(sink).connected);
    expect(await deliver(sink, [delivery(), delivery()])).toEqual([
      { status: 'reject', error: { code: 'handler_error', message: 'no' } },
      { status: 'delivered' },
    ]);
  });

  it('reads nothing: no more than a mebibyte and what one call brings waits here, and nothing is lost', async () => {
    const { url } = await peer((socket) => {
      (socket as unknown as { _socket: Socket })._socket.pause();
    });
    const sink = sinkTo(url, { bufferSize: 1_000 });
    await until(() => stateOf(sink).connected);
    const large = Array.from({ length: 200 }, () => delivery({ text: 'x'.repeat(64 * 1024) }));
    const answers = large.map((one) => deliver(sink, [one], 1_000));
    expect(sink.room).toBe(800);
    // What could not be sent in its time goes back and counts for nothing.
    const released = await Promise.race(answers.slice(-1));
    expect(released).toEqual([{ status: 'release' }]);
    await sink.close();
    expect((await Promise.all(answers)).flat().every(({ status }) => status === 'release')).toBe(true);
  });
});

describe('an address that must not be dialled', () => {
  it('is refused before anything is stored', () => {
    const guard = addressGuard();
    for (const endpoint of [
      'ws://127.0.0.1/',
      'ws://localhost/',
      'wss://169.254.169.254/',
      'ws://[::1]/',
      'ws://0x7f000001/',
    ])
      expect(() => sinkTo(endpoint, { guard })).toThrow(expect.objectContaining({ code: 'endpoint_blocked' }));
    for (const endpoint of ['http://example.com/', 'ws+unix:/tmp/x', 'ws://user:word@example.com/'])
      expect(() => sinkTo(endpoint, { guard })).toThrow(expect.objectContaining({ code: 'invalid_endpoint' }));
    const headers = { 'sec-websocket-key': 'x' };
    expect(() => sinkTo('wss://example.com/', { headers })).toThrow(
      expect.objectContaining({ code: 'invalid_subscription' }),
    );
  });

  it('is refused when its name leads there, at each try, and nothing is sent to it', async () => {
    let canary = 0;
    const url = await listening(
      createTcpServer((socket) => {
        canary++;
        socket.destroy();
      }),
    );
    const endpoint = url.replace('127.0.0.1', 'rebinding.example');
    let asked = 0;
    const resolve = async () => {
      // Public when the subscription was made, inside when it is dialled, and the other way round.
      asked++;
      return [{ address: '127.0.0.1', family: 4 as const }];
    };
    const sink = sinkTo(endpoint, { guard: addressGuard(), resolve });
    await until(() => sink.isUp === false);
    expect(asked).toBeGreaterThan(1);
    expect(stateOf(sink).lastError).toEqual({
      code: 'endpoint_blocked',
      message: 'The address of the endpoint may not be called.',
    });
    expect(canary).toBe(0);
    // The control: with the address allowed the same name is dialled.
    sinkTo(endpoint, { resolve });
    await until(() => canary > 0);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startReceiver } from '../receiver.ts';
import { deliver, delivery, SECRET, sinkTo } from '../sink-under-test.ts';
import { until } from '../until.ts';

/** Asks for a connection and says how that ended. */
async function ask(url: string, protocols: string[], headers: Record<string, string> = {}): Promise<number | 'open'> {
  const socket = new WebSocket(url, protocols, { headers });
  socket.on('error', () => {});
  return new Promise((resolve) => {
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      resolve(response.statusCode!);
    });
    socket.on('open', () => {
      resolve('open');
      socket.terminate();
    });
  });
}

describe('receiveRealtime', () => {
  it('answers what its handler says, in the order of the deliveries', async () => {
    const began: unknown[] = [];
    const { url } = await startReceiver(async ({ payload, timestamp }, { attempt, subscriptionId }) => {
      began.push([payload['n'], attempt, subscriptionId, timestamp instanceof Date]);
      if (payload['n'] === 1) throw new TypeError('the shelf is locked');
      if (payload['n'] === 2) return { success: false, retry: false, error: 'no account', metadata: { account: 7 } };
      return undefined;
    });
    const sink = sinkTo(url);
    const outcomes = await Promise.all([1, 2, 3].map((n) => deliver(sink, [delivery({ n })])));
    expect(outcomes.flat()).toEqual([
      { status: 'retry', error: { code: 'handler_error', message: 'TypeError: the shelf is locked' } },
      { status: 'reject', error: { code: 'handler_error', message: 'no account', metadata: { account: 7 } } },
      { status: 'delivered' },
    ]);
    expect(began).toEqual([1, 2, 3].map((n) => [n, 1, 'the-subscription', true]));
  });

  it('runs so many handlers at once as it was told', async () => {
    const running: (() => void)[] = [];
    const sizes: number[] = [];
    const { url } = await startReceiver(() => new Promise((end) => running.push(() => end(undefined))), {
      concurrency: 3,
    });
    const sink = sinkTo(url);
    const all = Promise.all(Array.from({ length: 9 }, () => deliver(sink, [delivery()])));
    for (let ended = 0; ended < 9; ended += 3) {
      await until(() => running.length === 3);
      sizes.push(running.length);
      for (const end of running.splice(0)) end();
    }
    await all;
    expect(sizes).toEqual([3, 3, 3]);
  });

  it('refuses strangers, foreign protocols and other paths before there is a connection', async () => {
    const { url, receiver } = await startReceiver(() => {}, { secrets: [SECRET], path: '/events/realtime' });
    expect(await ask(url, ['event-manager.v1'])).toBe(401);
    expect(
      await ask(url, ['event-manager.v1'], { 'event-manager-subscription': 'x', 'webhook-signature': 'v1,x' }),
    ).toBe(401);
    expect(await ask(url, ['soap'])).toBe(400);
    expect(await ask(`${url}/else`, ['event-manager.v1'])).toBe(404);
    expect(receiver.connections).toBe(0);
    const sink = sinkTo(url, { secret: SECRET });
    expect(await deliver(sink, [delivery()])).toEqual([{ status: 'delivered' }]);
    const other = sinkTo(url, { secret: `whsec_${Buffer.alloc(32, 1).toString('base64')}` });
    await until(() => other.isUp === false);
    expect(other.realtime!.lastError).toMatchObject({ code: 'http_401' });
  });

  it('ends in order: what runs is answered, what waits is given back, and nobody new comes in', async () => {
    const ended = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { url, receiver } = await startReceiver(async () => {
      begun.resolve();
      await ended.promise;
    });
    const sink = sinkTo(url);
    const outcomes = [deliver(sink, [delivery()]), deliver(sink, [delivery()])];
    await begun.promise;
    const closing = receiver.close();
    expect(await outcomes[1]).toEqual([{ status: 'release' }]);
    ended.resolve();
    await closing;
    expect(await outcomes[0]).toEqual([{ status: 'delivered' }]);
    await until(() => receiver.connections === 0);
  });

  it('tells a handler that its connection is gone', async () => {
    const aborted = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { url } = await startReceiver(async (_, { signal }) => {
      begun.resolve();
      await once(signal, 'abort');
      aborted.resolve();
    });
    const sink = sinkTo(url);
    void deliver(sink, [delivery()]);
    await begun.promise;
    await sink.close();
    await aborted.promise;
  });

  it.each([
    ['no metadata and no times', { id: 'a' }],
    ['metadata that is a text', { id: 'a', metadata: 'b' }],
  ])('hands over what was sent in place of an event, also with %s', async (_, event) => {
    const got: unknown[] = [];
    const { url } = await startReceiver(({ id, metadata }) => void got.push([id, metadata]));
    const bus = new WebSocket(url, ['event-manager.v1']);
    await once(bus, 'open');
    const deliveries = [{ delivery: 1, attempt: 1, event }];
    bus.send(JSON.stringify({ type: 'delivery', subscription: 's', deliveries }));
    expect(String((await once(bus, 'message'))[0])).toBe('{"type":"ack","deliveries":[1]}');
    expect(got).toEqual([['a', {}]]);
    bus.terminate();
  });

  it('cuts whoever nests so deep that nobody could look through it, and lives on', async () => {
    const { url } = await startReceiver(() => {});
    const bus = new WebSocket(url, ['event-manager.v1'], { maxPayload: 0 });
    await once(bus, 'open');
    const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
    const event = `{"id":"a","metadata":{},"payload":${deep}}`;
    bus.send(`{"type":"delivery","subscription":"s","deliveries":[{"delivery":1,"attempt":1,"event":${event}}]}`);
    expect((await once(bus, 'close'))[0]).toBe(1_002);
    expect(await deliver(sinkTo(url), [delivery()])).toEqual([{ status: 'delivered' }]);
  });

  it('answers a request line that is no address, and lives on', async () => {
    const { url, port } = await startReceiver(() => {}, { path: '/events/realtime' });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET // HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 404 /);
    socket.destroy();
    expect(await deliver(sinkTo(url), [delivery()])).toEqual([{ status: 'delivered' }]);
  });

  it('refuses a secret that is none when it is set up, and not when somebody connects', async () => {
    await expect(startReceiver(() => {}, { secrets: ['secret'] })).rejects.toMatchObject({
      code: 'invalid_subscription',
    });
  });

  it('cuts whoever sends without waiting for answers, before memory is full', async () => {
    const { url, receiver } = await startReceiver(() => new Promise(() => {}), { waitingBytesMax: 1024 * 1024 });
    const bus = new WebSocket(url, ['event-manager.v1']);
    bus.on('error', () => {});
    await once(bus, 'open');
    const text = 'x'.repeat(64 * 1024);
    for (let number = 1; number <= 32; number++) {
      const deliveries = [{ delivery: number, attempt: 1, event: { id: 'a', metadata: {}, payload: { text } } }];
      bus.send(JSON.stringify({ type: 'delivery', subscription: 's', deliveries }), () => {});
    }
    await once(bus, 'close');
    await until(() => receiver.connections === 0);
  });

  it('may be closed twice: both wait for what runs', async () => {
    const ended = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { url, receiver } = await startReceiver(async () => {
      begun.resolve();
      await ended.promise;
    });
    void deliver(sinkTo(url), [delivery()]);
    await begun.promise;
    const closing = [receiver.close(), receiver.close()];
    ended.resolve();
    await Promise.all(closing);
  });

  it('cuts a bus that speaks nonsense, and one that is silent', async () => {
    const { url } = await startReceiver(() => {}, { silentMs: 100 });
    const silent = new WebSocket(url, ['event-manager.v1']);
    const [silence] = await once(silent, 'close');
    expect(silence).toBe(1_006);
    const babbling = new WebSocket(url, ['event-manager.v1']);
    await once(babbling, 'open');
    babbling.send('{"type":"delivery","deliveries":"all"}');
    const [nonsense] = await once(babbling, 'close');
    expect(nonsense).toBe(1_002);
  });
});

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemRuntime } from '@event-manager/core';
import { VirtualTime } from '@event-manager/testing';
import { verify } from '@event-manager/webhook';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { deliver, delivery, SECRET, type SinkSetUp, sinkTo } from './sink-under-test.ts';
import { until } from './until.ts';

interface Frame {
  readonly type: string;
  readonly deliveries?: readonly { delivery: number; attempt: number; cursor: string; event: { payload: unknown } }[];
}

/** A receiver that a test answers for by hand. */
async function handReceiver(setUp: SinkSetUp = {}, port = 0) {
  const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: true });
  await once(server, 'listening');
  const frames: Frame[] = [];
  const requests: IncomingMessage[] = [];
  let socket: WebSocket | undefined;
  server.on('connection', (opened, request) => {
    socket = opened;
    requests.push(request);
    opened.on('message', (data) => void frames.push(JSON.parse(String(data))));
  });
  const end = () => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  onTestFinished(end);
  const { port: bound } = server.address() as AddressInfo;
  const url = `ws://127.0.0.1:${bound}/events?tenant=a`;
  return {
    ...{ frames, requests, url, end, port: bound },
    sink: () => sinkTo(url, setUp),
    send: (frame: object) => socket!.send(JSON.stringify(frame)),
    terminate: () => socket!.terminate(),
    extensions: () => socket!.extensions,
    clients: () => server.clients.size,
    /** Numbers of the deliveries that came so far. */
    numbers: () => frames.flatMap(({ deliveries = [] }) => deliveries.map(({ delivery: number }) => number)),
  };
}

describe('the frames', () => {
  it('begin with a hello that names the subscription, and hold the stored bytes with attempt and cursor', async () => {
    const receiver = await handReceiver();
    const sink = receiver.sink();
    const answer = deliver(sink, [delivery({ n: 1 }), delivery({ n: 2 })]);
    await until(() => receiver.numbers().length === 2);
    const [hello, delivered] = receiver.frames;
    const subscription = { id: 'the-subscription', name: 'test', topic: '#' };
    expect(hello).toEqual({ type: 'hello', protocol: 'event-manager.v1', subscription });
    expect(delivered).toMatchObject({
      type: 'delivery',
      subscription: 'the-subscription',
      deliveries: [
        { delivery: 1, attempt: 1, cursor: expect.any(String), event: { type: 'a', payload: { n: 1 } } },
        { delivery: 2, attempt: 1, event: { payload: { n: 2 } } },
      ],
    });
    receiver.send({ type: 'ping' });
    receiver.send({ type: 'ack', deliveries: [2] });
    const metadata = { printer: { floor: [3] } };
    receiver.send({ type: 'nack', deliveries: [1], error: 'The printer is out of paper.', afterMs: 5, metadata });
    const error = { code: 'handler_error', message: 'The printer is out of paper.', metadata };
    expect(await answer).toEqual([{ status: 'retry', error, afterMs: 5 }, { status: 'delivered' }]);
    await until(() => receiver.frames.some(({ type }) => type === 'pong'));
  });

  it('carry large batches in several, a receiver has a limit, too', async () => {
    const receiver = await handReceiver();
    const sink = receiver.sink();
    const large = Array.from({ length: 5 }, () => delivery({ text: 'x'.repeat(100 * 1024) }));
    const answer = deliver(sink, large);
    await until(() => receiver.numbers().length === 5);
    expect(receiver.frames.slice(1).map(({ deliveries }) => deliveries!.length)).toEqual([2, 2, 1]);
    receiver.send({ type: 'release', deliveries: receiver.numbers() });
    expect(await answer).toEqual(large.map(() => ({ status: 'release' })));
  });

  it('are compressed only when that is asked for', async () => {
    const plain = await handReceiver();
    await until(() => plain.sink().realtime?.connected === true || plain.frames.length > 0);
    expect(plain.extensions()).toBe('');
    const small = await handReceiver({ compression: true });
    small.sink();
    await until(() => small.frames.length > 0);
    expect(small.extensions()).toContain('permessage-deflate');
  });
});

describe('the request for a connection', () => {
  it('is signed over the id of the subscription, anew each time, and carries the headers', async () => {
    const receiver = await handReceiver({ secret: SECRET, headers: { authorization: 'Bearer 1' } });
    receiver.sink();
    await until(() => receiver.requests.length === 1);
    receiver.terminate();
    await until(() => receiver.requests.length === 2);
    const [first, second] = receiver.requests.map(({ headers }) => headers);
    const id = Buffer.from('the-subscription');
    expect(first).toMatchObject({ authorization: 'Bearer 1', 'event-manager-subscription': 'the-subscription' });
    expect(verify(id, first!, [SECRET])).toMatchObject({ valid: true });
    expect(verify(Buffer.from('another'), first!, [SECRET])).toMatchObject({ valid: false });
    expect(second!['webhook-id']).not.toBe(first!['webhook-id']);
    expect(receiver.requests[0]!.url).toBe('/events?tenant=a');
  });

  it('says who asks, unless the headers say otherwise', async () => {
    const usual = await handReceiver();
    usual.sink();
    const own = await handReceiver({ headers: { 'User-Agent': 'Acme' } });
    own.sink();
    await until(() => usual.requests.length === 1 && own.requests.length === 1);
    expect(usual.requests[0]!.headers['user-agent']).toBe('EventManager');
    expect(own.requests[0]!.headers['user-agent']).toBe('Acme');
  });

  it('is not signed without a secret', async () => {
    const receiver = await handReceiver();
    receiver.sink();
    await until(() => receiver.requests.length === 1);
    expect(Object.keys(receiver.requests[0]!.headers).filter((name) => name.startsWith('webhook-'))).toEqual([]);
  });
});

describe('what is under way', () => {
  it('is released when the connection is lost, and what had an answer keeps it', async () => {
    const receiver = await handReceiver();
    const sink = receiver.sink();
    const answer = deliver(sink, [delivery(), delivery()]);
    await until(() => receiver.numbers().length === 2);
    receiver.send({ type: 'ack', deliveries: [1] });
    receiver.send({ type: 'ping' });
    await until(() => receiver.frames.some(({ type }) => type === 'pong'));
    receiver.terminate();
    expect(await answer).toEqual([{ status: 'delivered' }, { status: 'release' }]);
  });

  it('never gets a number twice, so an answer from an earlier connection settles nothing', async () => {
    const receiver = await handReceiver();
    const sink = receiver.sink();
    const lost = deliver(sink, [delivery()]);
    await until(() => receiver.numbers().length === 1);
    receiver.terminate();
    await lost;
    const answer = deliver(sink, [delivery()]);
    await until(() => receiver.numbers().length === 2);
    receiver.send({ type: 'ack', deliveries: [1] });
    receiver.send({ type: 'nack', deliveries: [2], retry: false, error: 'no' });
    expect(await answer).toMatchObject([{ status: 'reject' }]);
    expect(receiver.numbers()).toEqual([1, 2]);
  });

  it('is at most what the buffer holds, with and without a connection', async () => {
    const receiver = await handReceiver({ bufferSize: 3 });
    const sink = receiver.sink();
    await until(() => sink.realtime?.connected === true);
    const answers = [deliver(sink, [delivery(), delivery()])];
    expect(sink.room).toBe(1);
    answers.push(deliver(sink, [delivery()]));
    expect(sink.room).toBe(0);
    await until(() => receiver.numbers().length === 3);
    receiver.send({ type: 'ack', deliveries: [1, 2, 3] });
    await Promise.all(answers);
    expect(sink.room).toBe(3);
  });

  it('waits for the connection that comes back, and goes out on it', async () => {
    const receiver = await handReceiver();
    const sink = receiver.sink();
    await until(() => sink.realtime?.connected === true);
    receiver.end();
    await until(() => sink.realtime?.connected === false);
    expect(sink.isUp).toBe(true);
    const answer = deliver(sink, [delivery({ n: 7 })]);
    const again = await handReceiver({}, receiver.port);
    await until(() => again.numbers().length === 1);
    again.send({ type: 'ack', deliveries: again.numbers() });
    expect(await answer).toEqual([{ status: 'delivered' }]);
  });

  it('goes back before its time when there is no connection: that is no failure of its receiver', async () => {
    const { sink, time, leave } = await cutOff();
    const answer = leave(300);
    await time.advance(299);
    expect(await answer.now()).toEqual([{ status: 'release' }]);
    expect(sink.isUp).toBe(true);
  });
});

it('does not hand a delivery back and forth that has hardly any time while there is no connection', async () => {
  const { time, leave } = await cutOff();
  const answer = leave(40);
  // At once it would come again at once, as fast as the processor can.
  await time.advance(15);
  expect(await answer.now()).toBe('nothing yet');
  await time.advance(25);
  expect(await answer.now()).toEqual([{ status: 'release' }]);
});

/** A sink whose connection is gone, under a clock that the test moves. */
async function cutOff() {
  const time = new VirtualTime();
  const runtime = { ...systemRuntime, clock: time, timers: time };
  const receiver = await handReceiver({ reconnectAttempts: 1_000, runtime });
  const sink = receiver.sink();
  await until(() => sink.realtime?.connected === true);
  receiver.end();
  await until(() => sink.realtime?.connected === false);
  const leave = (withinMs: number) => {
    const answer = deliver(sink, [delivery()], withinMs, time.monotonicMs());
    return { now: () => Promise.race([answer, Promise.resolve('nothing yet')]) };
  };
  return { sink, time, leave };
}

it('tells of losses and returns, and nothing more once it is closed', async () => {
  const receiver = await handReceiver({ reconnectAttempts: 2 });
  const sink = receiver.sink();
  const told: boolean[] = [];
  sink.watch!(() => told.push(sink.isUp!));
  await until(() => sink.realtime?.connected === true);
  receiver.end();
  await until(() => sink.isUp === false, 2_000);
  expect(sink.realtime).toMatchObject({ connected: false, lastError: { code: 'connection_refused' } });
  const again = await handReceiver({}, receiver.port);
  await until(() => sink.isUp === true);
  expect(told).toContain(false);
  expect(told.at(-1)).toBe(true);
  await sink.close();
  const before = told.length;
  await until(() => again.clients() === 0);
  again.end();
  expect([told.length, sink.isUp]).toEqual([before, false]);
});

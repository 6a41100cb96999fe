import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { SseClient } from './sse-client.ts';

function open(url: string, headers?: Record<string, string>): SseClient {
  const client = new SseClient(url, headers);
  onTestFinished(() => client.close());
  return client;
}

const numbers = (client: SseClient) => client.frames.map(({ data }) => JSON.parse(data).payload.number);

async function publish(url: string, count: number, more: object = {}): Promise<void> {
  for (let number = 0; number < count; number++) {
    await postJson(`${url}/events`, sample({ payload: { number, ...more } }));
  }
}

describe('GET /events/stream', () => {
  it('sends what is published from now on, the stored bytes unchanged', async () => {
    const { url } = await runService();
    await publish(url, 1);
    const client = open(`${url}/events/stream`);
    await client.opened();
    const odd = { text: 'line\nbreak \u2028 "quoted" \u{1f600}', zero: -0, number: 7 };
    const { body } = await postJson(`${url}/events`, sample({ payload: odd }));
    await client.until(({ frames }) => frames.length === 1);
    const stored = await (await fetch(`${url}/events/${body.id}`)).text();
    expect(client.frames).toEqual([{ id: body.cursor, event: 'event', data: stored }]);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(client.text).toMatch(/^retry: \d+\nid: /);
  });

  it('resumes at every boundary without a gap and without a repetition', async () => {
    const { url } = await runService();
    await publish(url, 30);
    const all = open(`${url}/events/stream?from=earliest`);
    await all.until(({ frames }) => frames.length === 30);
    expect(numbers(all)).toEqual(Array.from({ length: 30 }, (_, number) => number));
    for (const [index, { id }] of all.frames.entries()) {
      const rest = 29 - index;
      // The header beats the address, as a browser that comes back relies on.
      const client = open(`${url}/events/stream?from=earliest`, { 'last-event-id': id });
      await client.until(({ frames, lastEventId }) => frames.length >= rest && lastEventId !== '');
      expect(numbers(client)).toEqual(Array.from({ length: rest }, (_, number) => index + 1 + number));
      client.close();
    }
  });

  it('selects by several topics and a filter, and moves the cursor over what it leaves out', async () => {
    const { url } = await runService({ streamHeartbeatMs: 20 });
    const filter = encodeURIComponent(JSON.stringify({ payload: { wanted: true } }));
    const client = open(`${url}/events/stream?topic=order.*&topic=user.*&filter=${filter}`);
    await client.opened();
    await postJson(`${url}/events`, sample({ payload: { wanted: true, number: 1 } }));
    await postJson(`${url}/events`, sample({ payload: { wanted: false, number: 2 } }));
    await postJson(`${url}/events`, sample({ type: 'user.created', payload: { wanted: true, number: 3 } }));
    const last = await postJson(`${url}/events`, sample({ type: 'other.thing', payload: { wanted: true, number: 4 } }));
    await client.until(({ lastEventId }) => lastEventId === last.body.cursor);
    expect(numbers(client)).toEqual([1, 3]);
    expect(client.comments).toContain('heartbeat');
  });

  it('says with a gap frame that a cursor is from another, longer log', async () => {
    const longer = await runService();
    await publish(longer.url, 3);
    const { body } = await postJson(`${longer.url}/events`, sample());
    const { url } = await runService();
    await publish(url, 1);
    const client = open(`${url}/events/stream?cursor=${body.cursor}`);
    await client.until(({ frames }) => frames.length === 1);
    await publish(url, 1);
    await client.until(({ frames }) => frames.length === 2);
    expect(client.frames.map(({ event }) => event)).toEqual(['gap', 'event']);
    expect(JSON.parse(client.frames[0]!.data)).toEqual({ cause: 'ahead' });
  });

  it('cuts a reader that takes nothing, which then continues without a gap', async () => {
    const { url } = await runService({ streamStallMs: 500 });
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write('GET /events/stream?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const [first] = await once(socket, 'data');
    socket.pause();
    const count = 200;
    const padding = 'x'.repeat(100_000);
    for (let number = 0; number < count; number++) {
      await postJson(`${url}/events`, sample({ payload: { number, padding } }));
    }
    // The kernel holds some megabytes for a reader that does not read; what the service wrote before the cut is still there.
    const chunks: Buffer[] = [first];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const closed = once(socket, 'close');
    // Nothing is read until the service gave up: its end of the connection is gone then.
    while ((await call(`${url}/health`)).body.streams > 0) await new Promise((resolve) => setImmediate(resolve));
    socket.resume();
    await closed;
    const received = Buffer.concat(chunks).toString();
    const whole = [...received.matchAll(/id: (\S+)\nevent: event\ndata: \{.*?"number":(\d+).*?\}\}\n\n/g)];
    expect(whole.length).toBeLessThan(count);
    const client = open(`${url}/events/stream`, { 'last-event-id': whole.at(-1)?.[1] ?? '' });
    const rest = count - whole.length;
    await client.until(({ frames }) => frames.length >= rest);
    expect([...whole.map((match) => Number(match[2])), ...numbers(client)]).toEqual(
      Array.from({ length: count }, (_, number) => number),
    );
  });

  it('does not slow the others down, nor the publishers, while one reader does not read', async () => {
    const { url } = await runService();
    const slow = connect(Number(new URL(url).port), '127.0.0.1');
    onTestFinished(() => void slow.destroy());
    slow.write('GET /events/stream?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(slow, 'data');
    slow.pause();
    const client = open(`${url}/events/stream?from=earliest`);
    await publish(url, 300, { padding: 'x'.repeat(50_000) });
    await client.until(({ frames }) => frames.length === 300);
    expect(numbers(client)).toEqual(Array.from({ length: 300 }, (_, number) => number));
  });

  it('lets requests have their turn while many readers catch up', async () => {
    const { url } = await runService();
    const events = Array.from({ length: 5_000 }, (_, number) => sample({ payload: { number, text: 'x'.repeat(200) } }));
    // A reader keeps what is published in memory, from where the others then take it without a wait.
    open(`${url}/events/stream`);
    await postJson(`${url}/events/batch`, events);
    await postJson(`${url}/events/batch`, events);
    const sockets = Array.from({ length: 400 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.write('GET /events/stream?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n');
    }
    await once(sockets.at(-1)!, 'connect');
    // Nobody reads yet: what is written goes to the kernel and comes back to this process as nothing. A turn is measured by
    // what this thread worked in it: the time on the wall holds the work of every other process of the machine.
    let longestMs = 0;
    for (let turns = 0, lastMs = workedMs(); turns < 200; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      longestMs = Math.max(longestMs, workedMs() - lastMs);
      lastMs = workedMs();
    }
    expect(longestMs).toBeLessThan(250);
  });

  it('forgets clients that go away, at whatever moment', async () => {
    const { url } = await runService({ streamHeartbeatMs: 20 });
    const sockets = Array.from({ length: 200 }, () => connect(Number(new URL(url).port), '127.0.0.1'));
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {});
      socket.write('GET /events/stream?from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n', () => {
        if (index % 3 === 0) socket.destroy();
        else if (index % 3 === 1) setImmediate(() => socket.destroy());
        else socket.once('data', () => socket.destroy());
      });
    }
    await Promise.all(sockets.map((socket) => once(socket, 'close')));
    while ((await call(`${url}/health`)).body.streams > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('ends with a retry at shutdown', async () => {
    const service = await runService();
    const client = open(`${service.url}/events/stream`);
    await client.opened();
    await service.stop();
    await client.untilEnded();
    expect(client.text).toMatch(/\nretry: \d+\n\n$/);
  });
});

function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

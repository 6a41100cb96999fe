import { describe, expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { frameBytes, RawSocket } from './raw-socket.ts';
import { type Frame, WsClient } from './ws-client.ts';

/** `READERS=100` tries more of them. */
const READERS = Number(process.env['READERS'] ?? 20);
const COUNT = 600;
const padding = 'x'.repeat(20_000);

async function publishAll(url: string): Promise<void> {
  const client = await WsClient.open(url);
  for (let number = 0; number < COUNT; number += 10) {
    const events = Array.from({ length: 10 }, (_, at) => sample({ payload: { number: number + at, padding } }));
    const { results } = await client.ask({ type: 'publish', events });
    expect(results.every(({ error }: Frame) => error === undefined)).toBe(true);
  }
}

const numbersOf = (events: Frame[]): number[] => events.map(({ payload }) => payload.number);
const all = Array.from({ length: COUNT }, (_, number) => number);

/** Events and the last cursor in what came before the cut. */
function eventsIn(raw: RawSocket): { events: Frame[]; cursor: string } {
  const frames = raw
    .frames()
    .filter(({ opcode }) => opcode === 1)
    .map(({ payload }) => JSON.parse(payload.toString()));
  const events = frames.filter(({ type }) => type === 'event');
  return { events: events.map(({ event }) => event), cursor: events.at(-1)?.cursor ?? 'earliest' };
}

describe('readers that read nothing, or a thousand bytes a second', () => {
  it('are cut, disturb nobody, and miss nothing when they come back', {
    timeout: 40_000 + READERS * 2_000,
  }, async () => {
    const { url } = await runService({ wsStallMs: 1_500 });
    const slow = await Promise.all(
      Array.from({ length: READERS }, async (_, index) => {
        const raw = await RawSocket.open(url);
        raw.write(frameBytes('{"type":"stream","ref":1,"from":"earliest"}'));
        await raw.until(() => raw.received.includes('streaming'));
        raw.socket.pause();
        // Half of them take a little from time to time, which the kernel takes for them anyway.
        const trickle = setInterval(() => index % 2 === 1 && raw.socket.read(1_000), 1_000);
        onTestFinished(() => clearInterval(trickle));
        return raw;
      }),
    );
    const healthy = await WsClient.open(url);
    await healthy.ask({ type: 'stream', from: 'earliest' });
    const subscriber = await WsClient.open(url);
    await subscriber.ask({ type: 'subscribe', subscription: { topic: '#', name: 'n' } });
    subscriber.socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type !== 'delivery') return;
      subscriber.send({ type: 'ack', deliveries: frame.deliveries.map(({ delivery }: Frame) => delivery) });
    });
    await publishAll(url);
    await healthy.until(({ events }) => events.length === COUNT);
    expect(numbersOf(healthy.events)).toEqual(all);
    await subscriber.until(({ deliveries }) => deliveries.length === COUNT);
    expect(subscriber.deliveries.every(({ attempt }) => attempt === 1)).toBe(true);
    // All streams but the healthy one are gone, although nobody read: the service gave up by itself.
    while ((await call(`${url}/health`)).body.streams > 1) await new Promise((resolve) => setTimeout(resolve, 50));
    for (const raw of slow) {
      raw.socket.resume();
      await raw.untilClosed();
      const { events, cursor } = eventsIn(raw);
      expect(events.length).toBeLessThan(COUNT);
      const again = await WsClient.open(url);
      await again.ask({ type: 'stream', from: cursor });
      await again.until((client) => client.events.length >= COUNT - events.length);
      expect([...numbersOf(events), ...numbersOf(again.events)]).toEqual(all);
      again.socket.terminate();
    }
  });

  it('get deliveries as far as they take them; the rest goes to the next one without a failure', async () => {
    const { url } = await runService({ wsStallMs: 500 });
    const raw = await RawSocket.open(url);
    const options = { maxConcurrency: 1_000, retryPolicy: { maxRetries: 0 } };
    const wanted = { type: 'subscribe', ref: 1, subscription: { topic: '#', name: 'n', options } };
    raw.write(frameBytes(JSON.stringify(wanted)));
    await raw.until(() => raw.received.includes('subscribed'));
    raw.socket.pause();
    await publishAll(url);
    const [{ id }] = (await call(`${url}/subscriptions`)).body.data;
    while ((await call(`${url}/subscriptions/${id}`)).body.status.served) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const next = await WsClient.open(url);
    await next.ask(wanted);
    await next.until(({ deliveries }) => deliveries.length === COUNT);
    expect(numbersOf(next.deliveries.map(({ event }) => event)).sort((a, b) => a - b)).toEqual(all);
    expect((await call(`${url}/subscriptions/${id}/dead-letters`)).body.data).toEqual([]);
  });

  it('are not read from either while they do not take their answers', async () => {
    const { url } = await runService({ wsStallMs: 500 });
    const raw = await RawSocket.open(url);
    raw.socket.pause();
    const ping = frameBytes('{"type":"stream","ref":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","topics":[""]}');
    const chunk = Buffer.concat(Array.from({ length: 1_000 }, () => ping));
    // Each is answered with an error that is longer than it, and nobody reads the answers.
    await raw.writeAll(Array.from({ length: 1_000 }, () => chunk));
    // A peer that does not read does not see the end either.
    raw.socket.resume();
    await raw.untilClosed();
    const { status } = await postJson(`${url}/events`, sample());
    expect(status).toBe(201);
  });
});

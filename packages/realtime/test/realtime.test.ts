import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Event, EventManager, type EventManagerOptions, systemRuntime } from '@event-manager/core';
import { dialledWebSockets } from '@event-manager/realtime';
import { addressGuard, webhookSink } from '@event-manager/webhook';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from './receiver.ts';
import { until } from './until.ts';

const guard = addressGuard({ allow: ['loopback'] });

function eventManager(options: EventManagerOptions = {}): EventManager {
  const events = new EventManager({
    webSocketSink: dialledWebSockets({ guard }),
    webhookSink: ({ sink }) =>
      webhookSink({ ...(sink as { endpoint: string; secret?: string }), runtime: systemRuntime, guard }),
    ...options,
  });
  onTestFinished(() => events.close());
  return events;
}

async function webhook(take: (event: Event) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    take(JSON.parse(text) as Event);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

describe('a WebSocket that the bus dials', () => {
  it('gets every event once, in order, and answers for each', async () => {
    const got: string[] = [];
    const { url, receiver } = await startReceiver((event) => void got.push(event.payload['n'] as string));
    const events = eventManager();
    await events.subscribe({ topic: 'order.*', endpoint: url, options: { maxConcurrency: 1 } });
    for (let n = 0; n < 200; n++) await events.publish({ type: 'order.created', source: 'shop', payload: { n } });
    await events.settled();
    expect(got).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(receiver.connections).toBe(1);
  });

  it('goes by the webhook while the receiver is away, and back', async () => {
    const over: string[] = [];
    const first = await startReceiver((event) => void over.push(`socket ${event.payload['n']}`));
    const hook = await webhook((event) => over.push(`webhook ${event.payload['n']}`));
    const events = eventManager();
    const { id } = await events.subscribe({
      topic: '#',
      endpoint: first.url,
      options: { realtime: true, fallback_webhook: hook },
    });
    const realtime = async () => (await events.getSubscription(id)).status.realtime!;
    await until(async () => (await realtime()).connected);
    await events.publish({ type: 'a', source: 's', payload: { n: 1 } });
    await events.settled();
    await first.kill();
    await until(async () => (await realtime()).way === 'fallback', 2_000);
    await events.publish({ type: 'a', source: 's', payload: { n: 2 } });
    await events.settled();
    await startReceiver((event) => void over.push(`socket ${event.payload['n']}`), { port: first.port });
    await until(async () => (await realtime()).way === 'realtime');
    await events.publish({ type: 'a', source: 's', payload: { n: 3 } });
    await events.settled();
    expect(over).toEqual(['socket 1', 'webhook 2', 'socket 3']);
  });
});

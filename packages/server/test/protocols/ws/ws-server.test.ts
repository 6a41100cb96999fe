import { describe, expect, it } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { WsClient } from './ws-client.ts';

describe('a WebSocket', () => {
  it('is greeted with what it has to keep to', async () => {
    const { url } = await runService();
    const { frames, socket } = await WsClient.open(url);
    expect(socket.protocol).toBe('event-manager.v1');
    expect(frames).toEqual([
      {
        type: 'hello',
        protocol: 'event-manager.v1',
        connection: expect.any(String),
        durability: 'none',
        limits: { windowEvents: 1_024, frameBytesMax: 1_048_576, pendingBytesMax: 1_048_576 },
      },
    ]);
  });

  it('publishes, streams and delivers with acknowledgements', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const { stream } = await client.ask({ type: 'stream', topics: ['order.*'] });
    const { subscription } = await client.ask({ type: 'subscribe', subscription: { topic: 'order.*' } });
    const { result } = await client.ask({ type: 'publish', event: sample() });
    await client.until(({ deliveries, events }) => deliveries.length === 1 && events.length === 1);
    const stored = (await call(`${url}/events/${result.id}`)).body;
    expect(client.ofType('event')).toEqual([{ type: 'event', stream, cursor: result.cursor, event: stored }]);
    expect(client.ofType('delivery')).toEqual([
      {
        type: 'delivery',
        subscription: subscription.id,
        deliveries: [{ delivery: 1, attempt: 1, cursor: result.cursor, event: stored }],
      },
    ]);
    client.send({ type: 'ack', deliveries: [1] });
    await client.until(() => client.ofType('progress').at(-1)?.['cursor'] === result.cursor);
  });

  it('keeps a named subscription when it is lost, and delivers to the next one what was not acknowledged', async () => {
    const { url } = await runService();
    const wanted = { type: 'subscribe', subscription: { topic: '#', name: 'n' } };
    const first = await WsClient.open(url);
    await first.ask(wanted);
    for (const number of [1, 2]) await postJson(`${url}/events`, sample({ payload: { number } }));
    await first.until(({ deliveries }) => deliveries.length === 2);
    first.send({ type: 'ack', deliveries: [1] });
    first.send({ type: 'ping' });
    await first.until(() => first.ofType('pong').length === 1);
    first.socket.terminate();
    const second = await WsClient.open(url);
    await second.ask(wanted);
    await second.until(({ deliveries }) => deliveries.length === 1);
    expect(second.deliveries[0]).toMatchObject({ attempt: 2, event: { payload: { number: 2 } } });
  });
});

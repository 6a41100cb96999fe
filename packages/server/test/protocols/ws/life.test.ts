import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { startService } from '../../../src/index.ts';
import { configure } from '../../configure.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { frameBytes, RawSocket } from './raw-socket.ts';
import { WsClient } from './ws-client.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the end of the service', () => {
  it('answers the publishes under way, takes answers to deliveries, and says that it comes back', async () => {
    const service = await startService({ configuration: configure(), logger: pino({ level: 'silent' }) });
    const { url } = service;
    const client = await WsClient.open(url);
    const { subscription } = await client.ask({ type: 'subscribe', subscription: { topic: '#', name: 'n' } });
    await client.ask({ type: 'stream' });
    await postJson(`${url}/events`, sample());
    await client.until(({ deliveries }) => deliveries.length === 1);
    for (let ref = 1_000; ref < 1_100; ref++) client.send({ type: 'publish', ref, event: sample() });
    await client.answerTo(1_000);
    const stopped = service.stop();
    client.send({ type: 'ack', deliveries: client.deliveries.map(({ delivery }) => delivery) });
    expect(await client.untilClosed()).toEqual({ code: 1012, reason: 'The service restarts.' });
    await stopped;
    const answered = client.ofType('published').flatMap(({ answers }) => answers);
    // What was read is stored and said to be, or refused as what comes too late: nothing is left without an answer but what was never read.
    for (const { result, error } of answered)
      expect(result ?? error).toMatchObject(result ? {} : { code: 'not_ready' });
    expect(answered.length).toBeGreaterThan(0);
    expect(subscription.id).toEqual(expect.any(String));
  });

  it('does not wait for what a client takes its time to leave', async () => {
    const configuration = configure({ shutdownMs: 30_000 });
    const service = await startService({ configuration, logger: pino({ level: 'silent' }) });
    const client = await WsClient.open(service.url);
    const { subscription } = await client.ask({ type: 'subscribe', subscription: { topic: '#', name: 'n' } });
    await postJson(`${service.url}/events`, sample());
    await client.until(({ deliveries }) => deliveries.length === 1);
    client.send({ type: 'detach', ref: 'd', subscription: subscription.id, drainMs: 600_000 });
    await client.ask({ type: 'stream' });
    const stoppedAtMs = performance.now();
    await service.stop();
    // A third of the time to stop, when connections are cut, is ten seconds away.
    expect(performance.now() - stoppedAtMs).toBeLessThan(6_000);
    expect(client.frames.some(({ type, ref }) => type === 'detached' && ref === 'd')).toBe(true);
  });

  it('does not wait for a client that does not say goodbye', async () => {
    const service = await startService({ configuration: configure(), logger: pino({ level: 'silent' }) });
    const raw = await RawSocket.open(service.url);
    await service.stop();
    await raw.untilClosed();
    expect(raw.closeCode()).toBe(1012);
  });
});

describe('a silent peer', () => {
  it('is pinged, and stays as long as it answers', async () => {
    const { url } = await runService({ wsHeartbeatMs: 100 });
    const client = await WsClient.open(url);
    let pings = 0;
    client.socket.on('ping', () => pings++);
    while (pings < 5) await settle();
    expect(client.closed).toBeUndefined();
  });

  it('that does not answer is cut, and what it held is freed', async () => {
    const { url } = await runService({ wsHeartbeatMs: 200 });
    const raw = await RawSocket.open(url);
    raw.write(frameBytes('{"type":"stream","ref":1}'));
    raw.write(frameBytes('{"type":"subscribe","ref":2,"subscription":{"topic":"#","name":"n"}}'));
    await raw.until(() => raw.received.includes('streaming') && raw.received.includes('"ref":2'));
    await raw.untilClosed();
    expect(raw.frames().some(({ opcode }) => opcode === 9)).toBe(true);
    while ((await call(`${url}/health`)).body.streams > 0) await settle();
    const [subscription] = (await call(`${url}/subscriptions`)).body.data;
    while ((await call(`${url}/subscriptions/${subscription.id}`)).body.status.served) await settle();
  });
});

describe('a peer that goes away', () => {
  it('is forgotten at whatever moment it goes', async () => {
    const { url } = await runService();
    const frames = [
      '{"type":"stream","ref":1}',
      '{"type":"subscribe","ref":2,"subscription":{"topic":"#","name":"n"}}',
      '{"type":"subscribe","ref":3,"subscription":{"topic":"#"}}',
      '{"type":"subscribe","eventTypes":["a"]}',
      '{"type":"publish","ref":4,"event":{"type":"a","source":"s"}}',
    ];
    const bytes = Buffer.concat(frames.map((frame) => frameBytes(frame)));
    for (let count = 0; count < 60; count++) {
      const raw = await RawSocket.open(url);
      raw.write(bytes.subarray(0, (bytes.length * count) / 59));
      if (count % 3 === 0) await settle();
      if (count % 2 === 0) raw.socket.resetAndDestroy();
      else raw.socket.destroy();
    }
    while ((await call(`${url}/health`)).body.streams > 0) await settle();
    while ((await call(`${url}/subscriptions`)).body.data.some(({ name }: { name?: string }) => name === undefined)) {
      await settle();
    }
    const client = await WsClient.open(url);
    await client.ask({ type: 'subscribe', subscription: { topic: '#', name: 'n' } });
  });
});

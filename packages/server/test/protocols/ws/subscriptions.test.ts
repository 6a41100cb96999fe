import { DEFAULT_LIMITS } from '@event-manager/core';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startService } from '../../../src/index.ts';
import { configure } from '../../configure.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { type Frame, WsClient } from './ws-client.ts';

const noRetries = { retryPolicy: { maxRetries: 0 } };
const atOnce = { backoffStrategy: 'fixed', initialDelay: 1, maxDelay: 1, jitter: false };

async function subscribe(client: WsClient, subscription: object, member?: string): Promise<string> {
  const frame = { type: 'subscribe', subscription: { topic: '#', ...subscription } };
  const answer = await client.ask(member === undefined ? frame : { ...frame, member });
  expect(answer.error).toBeUndefined();
  return answer.subscription.id;
}

async function publish(url: string, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await postJson(`${url}/events`, sample({ payload: { number } }));
}

const seen = (client: WsClient) =>
  client.deliveries.map(({ attempt, event }: Frame) => `${event.payload.number}#${attempt}`);

const letters = async (url: string, id: string) => (await call(`${url}/subscriptions/${id}/dead-letters`)).body.data;

async function untilServed(url: string, id: string, served: boolean): Promise<void> {
  while ((await call(`${url}/subscriptions/${id}`)).body.status.served !== served) await settle();
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a subscription over a WebSocket', () => {
  it('is described as any other, and by others', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const wanted = { name: 'n', topic: 'order.*', filter: { sources: ['shop'] } };
    const { subscription } = await client.ask({ type: 'subscribe', subscription: wanted });
    expect(subscription).toMatchObject({ ...wanted, connectionType: 'socket', state: 'active' });
    expect(subscription.options).toMatchObject({ maxConcurrency: 32, batchSize: 1, timeoutMs: 30_000 });
    expect((await call(`${url}/subscriptions/${subscription.id}`)).body).toMatchObject({ id: subscription.id });
  });

  it('passes errors on, counted from the subscription', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const refused: [object, string, string | undefined][] = [
      [{}, 'invalid_subscription', '/topic'],
      [{ topic: 'a', endpoint: 'https://example.com/' }, 'invalid_subscription', '/endpoint'],
      [{ topic: 'a', filter: { nonsense: 1 } }, 'invalid_filter', '/filter/nonsense'],
      [{ topic: 'a', options: { startFrom: { cursor: 'x' } } }, 'invalid_cursor', '/options/startFrom/cursor'],
    ];
    for (const [subscription, code, pointer] of refused) {
      const { error } = await client.ask({ type: 'subscribe', subscription });
      expect(error).toMatchObject({ code, pointer });
    }
    await subscribe(client, { name: 'n' });
    const conflict = await client.ask({ type: 'subscribe', subscription: { name: 'n', topic: 'other' } });
    expect(conflict.error).toMatchObject({ code: 'subscription_conflict', pointer: '/name' });
    const id = '0198c0de-0000-7000-8000-00000000000a';
    for (const type of ['unsubscribe', 'detach']) {
      const { error } = await client.ask({ type, subscription: id });
      expect(error.code).toMatch(/subscription_not_found|invalid_request/);
    }
  });

  it('has no fallback that must not be called; one that is known may go on, so that its program can come back', async () => {
    const settings = configure({ webhookAllow: ['loopback'] });
    const service = await startService({ configuration: settings, logger: pino({ level: 'silent' }) });
    onTestFinished(() => service.stop());
    const client = await WsClient.open(service.url);
    const wanted = { name: 'n', topic: '#', fallbackWebhook: 'http://10.0.0.1/hook' };
    const refused = await client.ask({ type: 'subscribe', subscription: wanted });
    expect(refused.error).toMatchObject({ code: 'endpoint_blocked', pointer: '/fallbackWebhook' });
    expect((await call(`${service.url}/subscriptions`)).body.data).toEqual([]);
    const known = { ...wanted, fallbackWebhook: 'http://127.0.0.1:9/hook' };
    await subscribe(client, known);
    service.reconfigure({ ...settings, webhookAllow: [] });
    await subscribe(await WsClient.open(service.url), known);
  });

  it('hands over so many at once as it may, and the next when one is acknowledged', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    await subscribe(client, { options: { maxConcurrency: 2 } });
    await publish(url, 1, 2, 3, 4);
    await client.until(({ deliveries }) => deliveries.length === 2);
    client.send({ type: 'ack', deliveries: [2] });
    await client.until(({ deliveries }) => deliveries.length === 3);
    expect(seen(client)).toEqual(['1#1', '2#1', '3#1']);
  });

  it('hands over batches in one frame, and settles each delivery of it alone', async () => {
    const { url } = await runService();
    const publisher = await WsClient.open(url);
    const client = await WsClient.open(url);
    const id = await subscribe(client, { options: { batchSize: 3, maxConcurrency: 1, ...noRetries } });
    const events = [1, 2, 3, 4].map((number) => sample({ payload: { number } }));
    await publisher.ask({ type: 'publish', events });
    await client.until(({ deliveries }) => deliveries.length > 0);
    const first = client.ofType('delivery')[0].deliveries.map(({ delivery }: Frame) => delivery);
    client.send({ type: 'ack', deliveries: first.slice(1) });
    client.send({ type: 'nack', deliveries: first.slice(0, 1), error: 'broken' });
    await client.until(({ deliveries }) => deliveries.length > first.length);
    while ((await letters(url, id)).length === 0) await settle();
    expect(await letters(url, id)).toMatchObject([
      { event: expect.stringContaining('"number":1'), errors: [{ code: 'handler_error', message: 'broken' }] },
    ]);
    expect(client.ofType('delivery').every(({ deliveries }) => deliveries.length <= 3)).toBe(true);
  });

  it('is one of so many, however many are asked for at once', async () => {
    const { url } = await runService({ limits: { ...DEFAULT_LIMITS, subscriptionsMax: 4 } });
    const client = await WsClient.open(url);
    const wanted = Array.from({ length: 20 }, (_, at) => ({ topic: '#', ...(at % 2 === 0 ? { name: `n${at}` } : {}) }));
    const answers = await Promise.all(wanted.map((subscription) => client.ask({ type: 'subscribe', subscription })));
    expect(answers.filter(({ type }) => type === 'subscribed')).toHaveLength(4);
    const codes = answers.flatMap(({ error }) => (error === undefined ? [] : [error.code]));
    expect(codes).toEqual(Array(16).fill('too_many_subscriptions'));
  });

  it('keeps what was answered of a batch when the rest has no answer in time, and when the connection is lost', async () => {
    const { url } = await runService();
    await publish(url, 1, 2, 3);
    const batch = { batchSize: 3, maxConcurrency: 1, startFrom: 'earliest', ...noRetries };
    const client = await WsClient.open(url);
    const hasty = await subscribe(client, { name: 'hasty', options: { ...batch, timeoutMs: 2_000 } });
    await client.until(({ deliveries }) => deliveries.length === 3);
    client.send({ type: 'ack', deliveries: [1, 3] });
    while ((await letters(url, hasty)).length === 0) await settle();
    expect(await letters(url, hasty)).toMatchObject([{ event: expect.stringContaining('"number":2') }]);
    expect((await call(`${url}/subscriptions/${hasty}`)).body.status.counts).toMatchObject({ delivered: 2, stale: 0 });

    const lost = await WsClient.open(url);
    const wanted = { name: 'lost', options: batch };
    const id = await subscribe(lost, wanted, 'm');
    await lost.until(({ deliveries }) => deliveries.length === 3);
    lost.send({ type: 'ack', deliveries: [1] });
    lost.send({ type: 'nack', deliveries: [2], retry: false });
    await lost.ask({ type: 'stream' });
    const next = await WsClient.open(url);
    await subscribe(next, wanted, 'm');
    await next.until(({ deliveries }) => deliveries.length > 0);
    expect(seen(next)).toEqual(['3#2']);
    expect(await letters(url, id)).toMatchObject([{ event: expect.stringContaining('"number":2') }]);
  });

  it('tries again what failed, not before its time; buries what shall not be tried again', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await subscribe(client, { options: { retryPolicy: { maxRetries: 2, ...atOnce } } });
    await publish(url, 1, 2);
    await client.until(({ deliveries }) => deliveries.length === 2);
    client.send({ type: 'nack', deliveries: [1], error: 'later', afterMs: 20 });
    client.send({ type: 'nack', deliveries: [2], retry: false, error: 'never' });
    await client.until(({ deliveries }) => deliveries.length === 3);
    expect(seen(client)).toEqual(['1#1', '2#1', '1#2']);
    client.send({ type: 'ack', deliveries: [3] });
    while ((await letters(url, id)).length === 0) await settle();
    expect(await letters(url, id)).toMatchObject([
      { event: expect.stringContaining('"number":2'), errors: [{ message: 'never' }] },
    ]);
  });

  it('counts the largest one as failed when its client takes no frame so large: it would end every connection', async () => {
    const { url } = await runService();
    const wanted = { name: 'n', options: noRetries };
    const small = await WsClient.open(url, { maxPayload: 8 * 1024 });
    const id = await subscribe(small, wanted);
    await publish(url, 1);
    await small.until(({ deliveries }) => deliveries.length === 1);
    await postJson(`${url}/events`, sample({ payload: { number: 2, text: 'x'.repeat(16 * 1024) } }));
    await small.untilClosed();
    const next = await WsClient.open(url, { maxPayload: 8 * 1024 });
    await subscribe(next, wanted);
    await next.until(({ deliveries }) => deliveries.length === 1);
    expect(seen(next)).toEqual(['1#2']);
    while ((await letters(url, id)).length === 0) await settle();
    expect(await letters(url, id)).toMatchObject([
      { event: expect.stringContaining('"number":2'), errors: [{ code: 'frame_too_large' }] },
    ]);
    expect(next.closed).toBeUndefined();
  });

  it('counts nothing as failed when a frame of its client is too large', async () => {
    const { url } = await runService();
    const wanted = { name: 'n', options: noRetries };
    const client = await WsClient.open(url);
    const id = await subscribe(client, wanted);
    await publish(url, 1);
    await client.until(({ deliveries }) => deliveries.length === 1);
    client.send(`{"type":"ping","a":"${'x'.repeat(2 * 1024 * 1024)}"}`);
    expect((await client.untilClosed()).code).toBe(1009);
    const next = await WsClient.open(url);
    await subscribe(next, wanted);
    await next.until(({ deliveries }) => deliveries.length === 1);
    expect([seen(next), await letters(url, id)]).toEqual([['1#2'], []]);
  });

  it('takes back what nobody handled without counting a failure', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await subscribe(client, { options: noRetries });
    await publish(url, 1);
    await client.until(({ deliveries }) => deliveries.length === 1);
    client.send({ type: 'release', deliveries: [1] });
    await client.until(({ deliveries }) => deliveries.length === 2);
    client.send({ type: 'ack', deliveries: [2] });
    await client.ask({ type: 'stream' });
    expect(seen(client)).toEqual(['1#1', '1#2']);
    expect(await letters(url, id)).toEqual([]);
  });

  it('counts no answer in time as a failure, and ignores the answer that comes late', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await subscribe(client, { options: { timeoutMs: 30, retryPolicy: { maxRetries: 1, ...atOnce } } });
    await publish(url, 1);
    while ((await letters(url, id)).length === 0) await settle();
    expect(await letters(url, id)).toMatchObject([{ attempts: 2, errors: [{ code: 'timeout' }, { code: 'timeout' }] }]);
    client.send({ type: 'ack', deliveries: [1, 2, 2, 77] });
    await client.ask({ type: 'stream' });
    const { status } = (await call(`${url}/subscriptions/${id}`)).body;
    expect(status.counts).toMatchObject({ delivered: 0, deadLettered: 1, stale: 2 });
  });

  it('without a name ends with the connection; with one it goes on without', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const unnamed = await subscribe(client, {});
    const named = await subscribe(client, { name: 'n' });
    client.socket.terminate();
    await untilServed(url, named, false);
    while ((await call(`${url}/subscriptions/${unnamed}`)).status !== 404) await settle();
  });

  it('delivers after a loss what was not acknowledged, with a higher attempt and without a failure', async () => {
    const { url } = await runService();
    const wanted = { name: 'n', options: noRetries };
    let id = '';
    for (let round = 1; round <= 4; round++) {
      const client = await WsClient.open(url);
      id = await subscribe(client, wanted);
      if (round === 1) await publish(url, 1, 2);
      await client.until(({ deliveries }) => deliveries.length === 2);
      expect(seen(client).sort()).toEqual([`1#${round}`, `2#${round}`]);
      client.socket.terminate();
    }
    const last = await WsClient.open(url);
    await subscribe(last, wanted);
    await last.until(({ deliveries }) => deliveries.length === 2);
    last.send({ type: 'ack', deliveries: [1, 2] });
    await last.until(() => last.ofType('progress').length >= 2);
    expect(await letters(url, id)).toEqual([]);
  });

  it('without a name begins again where the client last heard that everything is settled, and misses nothing', async () => {
    const { url } = await runService();
    const handled = new Set<number>();
    let cursor: string | undefined;
    for (let round = 0; round < 6; round++) {
      const client = await WsClient.open(url);
      await subscribe(client, cursor === undefined ? {} : { options: { startFrom: { cursor } } });
      await publish(url, round * 3, round * 3 + 1, round * 3 + 2);
      // One is answered, in no order; then the connection is lost, now before and now after the service has told of it.
      await client.until(({ deliveries }) => deliveries.length >= 3);
      const { delivery, event } = client.deliveries[round % 3];
      handled.add(event.payload.number);
      client.send({ type: 'ack', deliveries: [delivery] });
      if (round % 2 === 1) await client.until(() => client.ofType('progress').length >= (round % 3 === 0 ? 2 : 1));
      cursor = client.ofType('progress').at(-1)?.cursor ?? cursor;
      client.socket.terminate();
    }
    const last = await WsClient.open(url);
    await subscribe(last, { options: { startFrom: { cursor } } });
    await last.until(({ deliveries }) => {
      for (const { event } of deliveries) handled.add(event.payload.number);
      return handled.size === 18;
    });
  });

  it('is left by detach when what is under way was answered', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await subscribe(client, { name: 'n', options: { maxConcurrency: 1 } });
    await publish(url, 1, 2);
    await client.until(({ deliveries }) => deliveries.length === 1);
    client.send({ type: 'detach', ref: 'd', subscription: id });
    client.send({ type: 'ack', deliveries: [1] });
    expect(await client.answerTo('d')).toEqual({ type: 'detached', ref: 'd' });
    expect(seen(client)).toEqual(['1#1']);
    const next = await WsClient.open(url);
    await subscribe(next, { name: 'n', options: { maxConcurrency: 1 } });
    await next.until(({ deliveries }) => deliveries.length === 1);
    expect(seen(next)).toEqual(['2#1']);
  });

  it('goes to the connection that came last of one member; the earlier one is told why, and its answers are late', async () => {
    const { url } = await runService();
    const [first, second] = [await WsClient.open(url), await WsClient.open(url)];
    const id = await subscribe(first, { name: 'n' }, 'm');
    await publish(url, 1);
    await first.until(({ deliveries }) => deliveries.length === 1);
    await subscribe(second, { name: 'n' }, 'm');
    await first.until(() => first.ofType('detached').length === 1);
    const told = { type: 'detached', subscription: id, member: 'm', reason: 'taken_over' };
    expect(first.ofType('detached')).toEqual([told]);
    await second.until(({ deliveries }) => deliveries.length === 1);
    first.send({ type: 'ack', deliveries: [1] });
    await first.ask({ type: 'stream' });
    first.socket.terminate();
    await publish(url, 2);
    await second.until(({ deliveries }) => deliveries.length === 2);
    expect(seen(second)).toEqual(['1#2', '2#1']);
  });

  it('may be ended by anybody; whoever is attached is told', async () => {
    const { url } = await runService();
    const [client, other] = [await WsClient.open(url), await WsClient.open(url)];
    const one = await subscribe(client, { name: 'one' });
    const two = await subscribe(client, { name: 'two' });
    await publish(url, 1);
    await client.until(({ deliveries }) => deliveries.length === 2);
    await call(`${url}/subscriptions/${one}`, { method: 'DELETE' });
    expect((await other.ask({ type: 'unsubscribe', subscription: two })).type).toBe('unsubscribed');
    await client.until(() => client.ofType('detached').length === 2);
    expect(client.ofType('detached')).toEqual(
      [one, two].map((subscription) => ({ type: 'detached', subscription, reason: 'ended' })),
    );
    const mine = await subscribe(client, {});
    expect(await client.ask({ type: 'unsubscribe', subscription: mine })).toEqual({
      type: 'unsubscribed',
      ref: expect.any(Number),
    });
    expect(client.ofType('detached')).toHaveLength(2);
  });

  it('follows a change of its definition', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await subscribe(client, { name: 'n', topic: 'order.*' });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ topic: 'user.*' });
    expect((await call(`${url}/subscriptions/${id}`, { method: 'PATCH', headers, body })).status).toBe(200);
    await publish(url, 1);
    await postJson(`${url}/events`, sample({ type: 'user.created', payload: { number: 2 } }));
    await client.until(({ deliveries }) => deliveries.length === 1);
    expect(seen(client)).toEqual(['2#1']);
  });

  it('pauses and resumes', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await subscribe(client, { name: 'n' });
    await call(`${url}/subscriptions/${id}/pause`, { method: 'POST' });
    await publish(url, 1);
    await client.ask({ type: 'stream' });
    expect(client.deliveries).toEqual([]);
    await call(`${url}/subscriptions/${id}/resume`, { method: 'POST' });
    await client.until(({ deliveries }) => deliveries.length === 1);
  });
});

import { describe, expect, it } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';
import { frameBytes, RawSocket } from './raw-socket.ts';
import { type Frame, WsClient } from './ws-client.ts';

async function attach(client: WsClient, member?: string, options: object = {}): Promise<string> {
  const subscription = { name: 'workers', topic: '#', options };
  const answer = await client.ask({ type: 'subscribe', subscription, ...(member === undefined ? {} : { member }) });
  expect(answer.error).toBeUndefined();
  return answer.subscription.id;
}

async function publish(url: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) await postJson(`${url}/events`, sample({ payload: { number } }));
}

const numbers = (deliveries: readonly Frame[]) => deliveries.map(({ event }) => event.payload.number as number);
const ack = (client: WsClient, from = 0) =>
  client.send({ type: 'ack', deliveries: client.deliveries.slice(from).map(({ delivery }: Frame) => delivery) });

/** If one of these failed, programs that share their work would do it twice, or half of it not at all. */
describe('connections that share a subscription', () => {
  it('have each event at one of them, and every one of them some', async () => {
    const { url } = await runService();
    const clients = [await WsClient.open(url), await WsClient.open(url), await WsClient.open(url)];
    let id = '';
    for (const client of clients) id = await attach(client);
    expect((await call(`${url}/subscriptions/${id}`)).body.status.members).toBe(3);
    await publish(url, 9);
    for (const client of clients) await client.until(({ deliveries }) => deliveries.length === 3);
    const all = clients.flatMap(({ deliveries }) => numbers(deliveries));
    expect(all.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const client of clients) expect(client.ofType('detached')).toEqual([]);
  });

  it('take over what a lost one had, without a failure', async () => {
    const { url } = await runService();
    const [lost, other] = [await WsClient.open(url), await WsClient.open(url)];
    const options = { retryPolicy: { maxRetries: 0 } };
    const id = await attach(lost, undefined, options);
    await attach(other, undefined, options);
    await publish(url, 4);
    await lost.until(({ deliveries }) => deliveries.length === 2);
    await other.until(({ deliveries }) => deliveries.length === 2);
    const had = numbers(lost.deliveries);
    lost.socket.terminate();
    await other.until(({ deliveries }) => deliveries.length === 4);
    expect(numbers(other.deliveries.slice(2)).toSorted()).toEqual(had);
    expect(other.deliveries.slice(2).every(({ attempt }: Frame) => attempt === 2)).toBe(true);
    ack(other);
    await other.ask({ type: 'detach', subscription: id });
    const { status } = (await call(`${url}/subscriptions/${id}`)).body;
    expect(status).toMatchObject({ members: 0 });
    expect((await call(`${url}/subscriptions/${id}/dead-letters`)).body.data).toEqual([]);
  });

  it('take over at once what one had that says goodbye and does not hang up', async () => {
    const { url } = await runService();
    const options = { retryPolicy: { maxRetries: 0 } };
    const leaving = await RawSocket.open(url);
    const subscription = { name: 'workers', topic: '#', options };
    leaving.write(frameBytes(JSON.stringify({ type: 'subscribe', ref: 1, subscription })));
    await leaving.until(({ received }) => received.includes('"subscribed"'));
    await publish(url, 1);
    await leaving.until(({ received }) => received.includes('"delivery"'));
    leaving.write(frameBytes('', { first: 0x88 }));
    await leaving.until((raw) => raw.frames().some(({ opcode }) => opcode === 8));
    // The end of the connection is a second away, and nothing else tells of the loss than the next delivery.
    leaving.socket.pause();
    const saidMs = performance.now();
    await publish(url, 1);
    const other = await WsClient.open(url);
    await attach(other, undefined, options);
    await other.until(({ deliveries }) => deliveries.length === 2);
    expect(performance.now() - saidMs).toBeLessThan(900);
  });

  it('take over at once what one had under way that was leaving when it was lost', async () => {
    const { url } = await runService();
    const options = { timeoutMs: 600_000, retryPolicy: { maxRetries: 0 } };
    const [lost, other] = [await WsClient.open(url), await WsClient.open(url)];
    const id = await attach(lost, undefined, options);
    await publish(url, 1);
    await lost.until(({ deliveries }) => deliveries.length === 1);
    await attach(other, undefined, options);
    lost.send({ type: 'detach', ref: 'd', subscription: id, drainMs: 600_000 });
    await lost.ask({ type: 'stream' });
    expect((await call(`${url}/subscriptions/${id}`)).body.status.members).toBe(1);
    lost.socket.terminate();
    await other.until(({ deliveries }) => deliveries.length === 1);
    expect(other.deliveries[0]).toMatchObject({ attempt: 2, event: { payload: { number: 1 } } });
  });

  it('are left with their connection, also when one asks twice before it has an answer', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const subscription = { name: 'workers', topic: '#' };
    for (const ref of ['a', 'b', 'c']) client.send({ type: 'subscribe', ref, subscription });
    const { subscription: made } = await client.answerTo('c');
    await client.answerTo('a');
    await client.answerTo('b');
    await publish(url, 1);
    await client.until(({ deliveries }) => deliveries.length === 1);
    await client.close();
    while ((await call(`${url}/subscriptions/${made.id}`)).body.status.members > 0);
  });

  it('may be several members over one connection, each under its name', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await attach(client, 'a');
    await attach(client, 'b');
    await publish(url, 4);
    await client.until(({ deliveries }) => deliveries.length === 4);
    const frames = client.ofType('delivery');
    expect(frames.map(({ member }) => member).toSorted()).toEqual(['a', 'a', 'b', 'b']);
    expect(client.ofType('progress').map(({ member }) => member)).toEqual(['a', 'b']);
    ack(client);
    expect((await client.ask({ type: 'detach', subscription: id, member: 'a' })).type).toBe('detached');
    await publish(url, 2);
    await client.until(({ deliveries }) => deliveries.length === 6);
    expect(
      client
        .ofType('delivery')
        .slice(4)
        .map(({ member }) => member),
    ).toEqual(['b', 'b']);
    const again = await client.ask({ type: 'detach', subscription: id, member: 'a' });
    expect(again.error).toMatchObject({ code: 'invalid_request', pointer: '/subscription' });
  });

  it('replace themselves when one connection asks twice without a name of its own', async () => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const id = await attach(client);
    await attach(client);
    expect((await call(`${url}/subscriptions/${id}`)).body.status.members).toBe(1);
    await publish(url, 1);
    await client.until(({ deliveries }) => deliveries.length === 1);
  });

  it.each([
    ['', '/member'],
    [7, '/member'],
    ['a b', '/member'],
    ['a"b', '/member'],
    ['a\\b', '/member'],
    ['é', '/member'],
    ['x'.repeat(65), '/member'],
  ])('refuse to be called %o', async (member, pointer) => {
    const { url } = await runService();
    const client = await WsClient.open(url);
    const { error } = await client.ask({ type: 'subscribe', member, subscription: { name: 'n', topic: '#' } });
    expect(error).toMatchObject({ code: 'invalid_request', pointer });
    expect((await call(`${url}/subscriptions`)).body.data).toEqual([]);
  });
});

import { EventManagerError, memory } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { call, postJson, sample } from '../../running-service.ts';
import { serveOver } from '../../serve-over.ts';
import { WsClient } from './ws-client.ts';

/** The protocol over a store whose calls fail when told so. */
async function serve() {
  const adapter = memory();
  const failing = { read: false, commit: false };
  const { store, state } = adapter;
  const read = store.read.bind(store);
  const commit = state.commit.bind(state);
  store.read = async (...args) => {
    if (failing.read) throw new TypeError('The disk is on fire.');
    return read(...args);
  };
  state.commit = async (...args) => {
    if (failing.commit) throw new EventManagerError('store_failed', 'The store takes nothing.');
    return commit(...args);
  };
  const { url, http, engine } = await serveOver(adapter, { queueMaxSize: 1 });
  onTestFinished(async () => {
    await http.close();
    await engine.close();
  });
  return { url, failing };
}

it('a stream that cannot be read on ends the connection: silence would look like a log without news', async () => {
  const { url, failing } = await serve();
  for (let number = 0; number < 5; number++) await postJson(`${url}/events`, sample({ payload: { number } }));
  const client = await WsClient.open(url);
  failing.read = true;
  await client.ask({ type: 'stream', from: 'earliest' });
  expect(await client.untilClosed()).toEqual({ code: 1011, reason: 'A stream failed.' });
  expect((await call(`${url}/health`)).body.streams).toBe(0);
  failing.read = false;
  const again = await WsClient.open(url);
  await again.ask({ type: 'stream', from: 'earliest' });
  await again.until(({ events }) => events.length === 5);
});

it('a subscription that could not be ended is served on, and left with the connection', async () => {
  const { url, failing } = await serve();
  const wanted = { type: 'subscribe', subscription: { topic: '#', name: 'n' } };
  const client = await WsClient.open(url);
  const { subscription } = await client.ask(wanted);
  failing.commit = true;
  expect((await client.ask({ type: 'unsubscribe', subscription: subscription.id })).error.code).toBe('store_failed');
  failing.commit = false;
  await postJson(`${url}/events`, sample());
  await client.until(({ deliveries }) => deliveries.length === 1);
  client.socket.terminate();
  const isServed = async () => (await call(`${url}/subscriptions/${subscription.id}`)).body.status.served;
  while (await isServed()) await new Promise((resolve) => setImmediate(resolve));
  const next = await WsClient.open(url);
  await next.ask(wanted);
  await next.until(({ deliveries }) => deliveries.length === 1);
});

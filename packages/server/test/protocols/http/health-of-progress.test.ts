import { ANONYMOUS, Engine, memory, systemRuntime } from '@event-manager/core';
import { SeededChance, simulatedRuntime, VirtualTime } from '@event-manager/testing';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { Life } from '../../../src/life.ts';
import { httpServer } from '../../../src/protocols/http/http-server.ts';
import { configure } from '../../configure.ts';
import { contextOf } from '../../context-of.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

const MINUTE_MS = 60_000;
const event = { type: 'order.created', source: 'shop', payload: {} };
const refused = { status: 'retry', error: { code: 'http_500', message: 'no' } } as const;

/** The protocol in real time over an engine whose time the test drives, and whose store answers no commit when told so. */
async function serveInVirtualTime() {
  const time = new VirtualTime();
  const runtime = simulatedRuntime({ clock: time, timers: time.scope(), chance: new SeededChance(1) });
  const adapter = memory({ runtime });
  const commit = adapter.state.commit.bind(adapter.state);
  const store = { silent: false, answer: () => {} };
  adapter.state.commit = async (...args) => {
    if (store.silent) await new Promise<void>((resolve) => Object.assign(store, { answer: resolve }));
    return commit(...args);
  };
  const webhookSink = () => ({ deliver: () => [refused], close: async () => {}, single: true });
  const engine = await time.run(Engine.open({ adapter, runtime, webhookSink, stallAfterMs: MINUTE_MS }));
  const life = new Life();
  life.enter('serving');
  const http = httpServer({
    context: contextOf(engine, life),
    configuration: configure(),
    runtime: systemRuntime,
    logger: pino({ level: 'silent' }),
  });
  const url = await http.listen();
  onTestFinished(() => http.close());
  return { time, engine, store, url };
}

it('is not ready while a subscription that could go on does not, and tells which', async () => {
  const { time, engine, store, url } = await serveInVirtualTime();
  const { id } = await time.run(
    engine.subscriptions.subscribe(ANONYMOUS, { name: 'bills', topic: '#', handler: () => {} }),
  );
  await time.run(engine.publish(ANONYMOUS, event));
  await time.run(engine.settled());
  store.silent = true;
  // In memory whoever publishes waits for the handlers, and here they wait for a commit.
  const many = Array.from({ length: 4_000 }, () => event);
  const published = engine.publishBatch(ANONYMOUS, many);
  await time.advance(2 * MINUTE_MS);

  const ready = await call(`${url}/readyz`);
  expect([ready.status, ready.body.code, ready.body.retryable]).toEqual([503, 'stalled', true]);
  const health = await call(`${url}/health`);
  expect(health.status).toBe(200);
  expect(health.body).toMatchObject({
    status: 'degraded',
    progress: { stalled: 1, worst: [{ id, name: 'bills', state: 'stalled', lastProgressAt: expect.any(String) }] },
  });
  const { status } = (await call(`${url}/subscriptions/${id}`)).body;
  expect(status).toMatchObject({ state: 'stalled', served: true, lastProgressAt: expect.any(String) });
  expect(status.lag).toBe(health.body.progress.lagMax);
  expect(status.lag).toBeGreaterThan(0);
  const events = await call(`${url}/health/events`);
  expect(events.body).toMatchObject({ status: 'degraded', published: 4_001, progress: { stalled: 1 } });
  expect((await call(`${url}/metrics`)).body).toContain('\neventmanager_ready 0\n');

  store.silent = false;
  store.answer();
  await time.run(published);
  await time.run(engine.settled());
  expect((await call(`${url}/readyz`)).status).toBe(200);
  expect((await call(`${url}/subscriptions/${id}`)).body.status).toMatchObject({ state: 'current', lag: 0 });
});

it('stays ready while a webhook is down: its attempts are made and put off, and its lag is seen', async () => {
  const { time, engine, url } = await serveInVirtualTime();
  const hook = { topic: '#', endpoint: 'https://example.com/hook', options: { retryPolicy: { maxRetries: 1_000 } } };
  const { id } = await time.run(engine.subscriptions.subscribe(ANONYMOUS, hook));
  await time.run(engine.publishBatch(ANONYMOUS, [event, event]));
  for (let minute = 0; minute < 30; minute++) {
    await time.advance(MINUTE_MS);
    expect((await call(`${url}/readyz`)).status).toBe(200);
  }
  expect((await call(`${url}/subscriptions/${id}`)).body.status).toMatchObject({ state: 'waiting', lag: 2, owed: 2 });
  expect((await call(`${url}/health`)).body).toMatchObject({ status: 'ok', progress: { stalled: 0, lag: 2 } });
});

it('tells at one address whether events come in and go out', async () => {
  const { url } = await runService();
  await postJson(`${url}/events`, sample());
  await postJson(`${url}/events`, sample({ type: '' }));
  const { status, body } = await call(`${url}/health/events`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ status: 'ok', published: 1, processed: 0, rejected: 1, queueDepth: 0, deadLettered: 0 });
});

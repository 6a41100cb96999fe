import { type AdapterHealth, Engine, EventManagerError, memory, systemRuntime } from '@event-manager/core';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { Life } from '../../../src/life.ts';
import { httpServer } from '../../../src/protocols/http/http-server.ts';
import { configure } from '../../configure.ts';
import { contextOf } from '../../context-of.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

/** The protocol over a store that behaves as it is told. */
async function serveOver(health: AdapterHealth, refusal: EventManagerError): Promise<{ url: string; life: Life }> {
  const adapter = memory();
  adapter.health = () => health;
  adapter.store.append = () => Promise.reject(refusal);
  const engine = await Engine.open({ adapter });
  const life = new Life();
  const http = httpServer({
    context: contextOf(engine, life, { durability: 'synced' }),
    configuration: configure(),
    runtime: systemRuntime,
    logger: pino({ level: 'silent' }),
  });
  const url = await http.listen();
  onTestFinished(async () => {
    await http.close();
    await engine.close();
  });
  return { url, life };
}

it('is alive, ready and well when all is well', async () => {
  const { url } = await runService();
  expect((await call(`${url}/livez`)).body).toEqual({ status: 'ok' });
  expect((await call(`${url}/readyz`)).body).toEqual({ status: 'ready' });
  const { status, body } = await call(`${url}/health`);
  expect(status).toBe(200);
  expect(body).toMatchObject({ phase: 'serving', status: 'ok', durability: 'none', adapter: { name: 'memory' } });
});

it.each([
  ['failed', 'store_failed', 503, 503],
  ['read-only', 'store_read_only', 503, 200],
  ['full', 'disk_full', 503, 200],
] as const)(
  'tells of a store that is %s: publishing is refused with %s and Retry-After',
  async (state, code, ready, health) => {
    const reason = 'a reason for people';
    const refusal = new EventManagerError(code, 'No.', { retryAfterMs: 2_000 });
    const { url, life } = await serveOver({ status: state, reason, facts: {} }, refusal);
    life.enter('serving');
    const published = await postJson(`${url}/events`, sample());
    expect([published.status, published.body.code, published.headers.get('retry-after')]).toEqual([503, code, '2']);
    expect((await call(`${url}/readyz`)).status).toBe(ready);
    const answer = await call(`${url}/health`);
    expect([answer.status, answer.body.adapter.reason]).toEqual([health, reason]);
    expect((await call(`${url}/livez`)).status).toBe(200);
  },
);

it('is not ready and takes nothing before it serves and while it drains, but tells how it is', async () => {
  const { url, life } = await serveOver({ status: 'ok', facts: {} }, new EventManagerError('closed', 'No.'));
  for (const phase of ['starting', 'draining'] as const) {
    if (phase !== 'starting') life.enter(phase);
    const refused = await postJson(`${url}/events`, sample());
    expect([refused.status, refused.body.code]).toEqual([503, 'not_ready']);
    expect(refused.headers.get('connection')).toBe('close');
    expect((await call(`${url}/readyz`)).body).toMatchObject({ code: 'not_ready', retryable: true });
    expect((await call(`${url}/health`)).body.phase).toBe(phase);
    expect((await call(`${url}/livez`)).status).toBe(200);
  }
});

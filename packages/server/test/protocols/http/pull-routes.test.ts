import { describe, expect, it } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';

async function asked(url: string, options: object = {}): Promise<string> {
  const { status, body } = await postJson(`${url}/subscriptions`, { name: 'nightly', topic: '#', options });
  expect([status, body.connectionType]).toEqual([201, 'pull']);
  return `${url}/subscriptions/${body.id}`;
}

async function publish(url: string, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await postJson(`${url}/events`, sample({ payload: { number } }));
}

// biome-ignore lint/suspicious/noExplicitAny: what the service answers.
const seen = ({ body }: any) =>
  // biome-ignore lint/suspicious/noExplicitAny: the same.
  body.deliveries.map(({ event, attempt }: any) => `${event.payload.number}#${attempt}`);

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const members = async (path: string) => (await call(path)).body.status.members;

/** If one of these failed, a worker that asks would lose events, do them twice, or wait for ever. */
describe('pulling over HTTP', () => {
  it('hands over stored bytes under leases, and takes the answers to them', async () => {
    const { url } = await runService();
    const path = await asked(url, { timeoutMs: 60_000, retryPolicy: { maxRetries: 0 } });
    await publish(url, 1, 2, 3);
    const pulled = await postJson(`${path}/pull`, { max: 3 });
    expect([pulled.status, seen(pulled)]).toEqual([200, ['1#1', '2#1', '3#1']]);
    const [one, two, three] = pulled.body.deliveries;
    expect(one.event).toEqual((await call(`${url}/events/${one.event.id}`)).body);
    const leftMs = Date.parse(one.leaseUntil) - Date.now();
    expect(leftMs).toBeGreaterThan(50_000);
    expect((await postJson(`${path}/pull`, {})).body).toEqual({ deliveries: [] });

    const extended = await postJson(`${path}/extend`, { deliveries: [one.delivery, 'nobody’s'] });
    expect(extended.body).toEqual({ stale: ['nobody’s'], leaseUntil: expect.stringMatching(/Z$/) });
    expect(Date.parse(extended.body.leaseUntil)).toBeGreaterThanOrEqual(Date.parse(one.leaseUntil));
    expect((await postJson(`${path}/ack`, { deliveries: [one.delivery] })).body).toEqual({ stale: [] });
    const why = { retry: false, error: 'no paper', metadata: { printer: 3 } };
    const nacked = await postJson(`${path}/nack`, { deliveries: [two.delivery], ...why });
    expect(nacked.body).toEqual({ stale: [] });
    await until(async () => (await call(`${path}/dead-letters`)).body.data.length > 0);
    expect((await call(`${path}/dead-letters`)).body.data).toMatchObject([
      { errors: [{ message: 'no paper', metadata: { printer: 3 } }] },
    ]);
    expect((await postJson(`${path}/nack`, { deliveries: [two.delivery] })).body).toEqual({ stale: [two.delivery] });
    await postJson(`${path}/ack`, { deliveries: [three.delivery] });
    expect((await call(path)).body.status).toMatchObject({
      lag: 0,
      counts: { delivered: 2, deadLettered: 1, stale: 2 },
    });
  });

  it('waits for what comes, and hands it to the one who asked first', async () => {
    const { url } = await runService();
    const path = await asked(url);
    const first = postJson(`${path}/pull`, { waitMs: 20_000 });
    await until(async () => (await members(path)) === 1);
    const second = postJson(`${path}/pull`, { wait_ms: 20_000 });
    await until(async () => (await members(path)) === 2);
    await publish(url, 1);
    expect(seen(await first)).toEqual(['1#1']);
    await publish(url, 2);
    expect(seen(await second)).toEqual(['2#1']);
  });

  it('forgets a client that goes away while it waits, and gives others what it would have got', async () => {
    const { url } = await runService();
    const path = await asked(url);
    const leaving = new AbortController();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ waitMs: 30_000 });
    const lost = fetch(`${path}/pull`, { method: 'POST', headers, body, signal: leaving.signal });
    await until(async () => (await members(path)) === 1);
    leaving.abort();
    await expect(lost).rejects.toThrow();
    await until(async () => (await members(path)) === 0);
    await publish(url, 1);
    expect(seen(await postJson(`${path}/pull`, { waitMs: 5_000 }))).toEqual(['1#1']);
  });

  it('hands over again what a client took along that is gone', async () => {
    const { url } = await runService();
    const path = await asked(url, { timeoutMs: 100, retryPolicy: { maxRetries: 0 } });
    await publish(url, 1);
    const [gone] = (await postJson(`${path}/pull`, {})).body.deliveries;
    const again = await postJson(`${path}/pull`, { waitMs: 5_000 });
    expect(seen(again)).toEqual(['1#2']);
    expect((await postJson(`${path}/ack`, { deliveries: [gone.delivery] })).body).toEqual({ stale: [gone.delivery] });
    expect((await call(`${path}/dead-letters`)).body.data).toEqual([]);
  });

  it('answers whoever waits when the service stops', async () => {
    const service = await runService();
    const path = await asked(service.url);
    const waiting = postJson(`${path}/pull`, { waitMs: 30_000 });
    await until(async () => (await members(path)) === 1);
    await service.stop();
    expect((await waiting).body).toEqual({ deliveries: [] });
  });

  it.each([
    ['pull', { max: 0 }, '/max'],
    ['pull', { waitMs: 30_001 }, '/waitMs'],
    ['pull', { deliveries: [] }, '/deliveries'],
    ['ack', {}, '/deliveries'],
    ['ack', { deliveries: [] }, '/deliveries'],
    ['ack', { deliveries: [1] }, '/deliveries'],
    ['ack', { deliveries: Array(1_001).fill('a') }, '/deliveries'],
    ['nack', { deliveries: ['a'], retry: 'no' }, '/retry'],
    ['nack', { deliveries: ['a'], afterMs: -1 }, '/afterMs'],
    ['nack', { deliveries: ['a'], error: 'x'.repeat(1_025) }, '/error'],
    ['nack', { deliveries: ['a'], metadata: {} }, '/metadata'],
    ['nack', { deliveries: ['a'], metadata: 'printer 3' }, '/metadata'],
    ['nack', { deliveries: ['a'], metadata: { text: 'x'.repeat(1_024) } }, '/metadata'],
    ['extend', { deliveries: 'a' }, '/deliveries'],
  ])('refuses %s with %o', async (what, input, pointer) => {
    const { url } = await runService();
    const path = await asked(url);
    const { status, body } = await postJson(`${path}/${what}`, input);
    expect([status, body.code, body.pointer]).toEqual([400, 'invalid_request', pointer]);
  });

  it('is not for what has an endpoint, nor for what does not exist', async () => {
    const { url } = await runService({ webhookAllow: ['loopback'] });
    const { body } = await postJson(`${url}/subscriptions`, { topic: 'a', endpoint: 'http://127.0.0.1:9/' });
    for (const what of ['pull', 'ack', 'nack', 'extend']) {
      const input = what === 'pull' ? {} : { deliveries: ['a'] };
      const other = await postJson(`${url}/subscriptions/${body.id}/${what}`, input);
      expect([other.status, other.body.code]).toEqual([422, 'not_supported']);
      const nobody = await postJson(`${url}/subscriptions/0198c0de-0000-7000-8000-00000000000a/${what}`, input);
      expect([nobody.status, nobody.body.code]).toEqual([404, 'subscription_not_found']);
    }
    const nameless = await postJson(`${url}/subscriptions`, { topic: 'a' });
    expect([nameless.status, nameless.body.pointer]).toEqual([400, '/name']);
  });
});

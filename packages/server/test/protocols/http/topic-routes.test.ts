import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';

const TOTAL = { type: 'object', required: ['total'], properties: { total: { type: 'number', minimum: 0 } } };

describe('topics over HTTP', () => {
  it('are declared once, found in either spelling, and listed by name', async () => {
    const { url } = await runService();
    const wanted = { topic: 'order/created', schema: TOTAL, description: 'An order came in.' };
    const created = await postJson(`${url}/topics`, wanted);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/topics/order%2Fcreated');
    expect(created.body).toMatchObject({
      ...wanted,
      compatibility: 'backward',
      versions: [{ version: 1, schema: TOTAL }],
    });
    expect((await postJson(`${url}/topics`, wanted)).status).toBe(200);
    expect((await postJson(`${url}/topics`, { topic: 'order.created' })).status).toBe(200);
    await postJson(`${url}/topics`, { topic: 'a' });
    for (const spelling of ['order.created', 'order%2Fcreated', 'order%2fcreated']) {
      expect((await call(`${url}/topics/${spelling}`)).body).toMatchObject({ topic: 'order/created' });
    }
    const first = await call(`${url}/topics?limit=1`);
    expect(first.body).toMatchObject({ data: [{ topic: 'a' }], nextCursor: expect.any(String) });
    const second = await call(`${url}/topics?limit=1&cursor=${first.body.nextCursor}`);
    expect(second.body).toMatchObject({ data: [{ topic: 'order/created' }], nextCursor: null });
  });

  it('refuse what does not fit, with the place, and tell of it without the payload', async () => {
    const { url } = await runService();
    await postJson(`${url}/topics`, { topic: 'order.created', schema: TOTAL });
    const refused = await postJson(`${url}/events`, sample({ payload: { total: -1, secret: 'hush' } }));
    expect(refused.status).toBe(422);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(refused.body).toMatchObject({
      code: 'schema_violation',
      pointer: '/payload/total',
      details: { topic: 'order/created', schemaVersion: 1 },
    });
    expect((await postJson(`${url}/events`, sample())).status).toBe(201);
    const batch = await postJson(`${url}/events/batch`, [sample(), sample({ payload: {} })]);
    expect(batch.status).toBe(207);
    expect(batch.body).toMatchObject({
      stored: 1,
      failed: 1,
      results: [{}, { error: { pointer: '/1/payload/total' } }],
    });
    const events = await call(`${url}/topics/order.created/events?order=desc`);
    expect(events.body.data).toHaveLength(2);
    const rejections = await call(`${url}/rejections`);
    expect(rejections.body.counts).toEqual([{ code: 'schema_violation', topic: 'order/created', count: 2 }]);
    expect(rejections.body.data).toHaveLength(2);
    expect(rejections.body.data[1]).toMatchObject({ type: 'order.created', source: 'shop', pointer: '/payload/total' });
    expect(JSON.stringify(rejections.body)).not.toContain('hush');
  });

  it('take a new version that stored events fit, and name the event that does not', async () => {
    const { url } = await runService();
    await postJson(`${url}/topics`, { topic: 'order.created', schema: TOTAL });
    const { body: stored } = await postJson(`${url}/events`, sample());
    const narrower = { schema: { ...TOTAL, required: ['total', 'currency'] } };
    const refused = await postJson(`${url}/topics/order.created/schemas`, narrower);
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      code: 'schema_incompatible',
      pointer: '/schema',
      details: { eventId: stored.id, path: '/payload/currency' },
    });
    const wider = { schema: { ...TOTAL, properties: {} } };
    const added = await postJson(`${url}/topics/order.created/schemas`, wider);
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({
      versions: [{ version: 1 }, { version: 2 }],
      checked: { events: 1, complete: true },
    });
    expect((await postJson(`${url}/topics/order.created/schemas`, wider)).status).toBe(200);
    const forced = await postJson(`${url}/topics/order%2Fcreated/schemas`, { ...narrower, compatibility: 'none' });
    expect(forced.body).toMatchObject({ compatibility: 'none', versions: [{}, {}, { version: 3 }] });
    expect((await postJson(`${url}/events`, sample())).body).toMatchObject({ code: 'schema_violation' });
  });

  it.each<[string, unknown, number, string, string]>([
    ['an unknown field', { topic: 'a', schemas: {} }, 400, 'invalid_topic', '/schemas'],
    ['a field twice', { topic: 'a', description: 'a', Description: 'b' }, 400, 'invalid_topic', '/Description'],
    ['no topic', { schema: {} }, 400, 'invalid_topic', '/topic'],
    ['a wildcard', { topic: 'a.*' }, 400, 'invalid_topic', '/topic'],
    ['the bus itself', { topic: '$sys/a' }, 403, 'topic_reserved', '/topic'],
    ['a list', [], 400, 'invalid_topic', ''],
    ['a schema that is a text', { topic: 'a', schema: 'x' }, 400, 'invalid_schema', '/schema'],
    ['a wrong schema', { topic: 'a', schema: { type: 'strin' } }, 400, 'invalid_schema', '/schema/type'],
    ['another compatibility', { topic: 'a', compatibility: 'full' }, 400, 'invalid_topic', '/compatibility'],
    ['a long description', { topic: 'a', description: 'x'.repeat(5_000) }, 400, 'invalid_topic', '/description'],
  ])('are refused with %s', async (_what, body, status, code, pointer) => {
    const { url } = await runService();
    expect(await postJson(`${url}/topics`, body)).toMatchObject({ status, body: { code, pointer } });
  });

  it('refuse what they do not know: topics, parameters, cursors, patterns instead of topics', async () => {
    const { url } = await runService();
    expect(await call(`${url}/topics/nobody`)).toMatchObject({ status: 404, body: { code: 'topic_not_found' } });
    expect(await postJson(`${url}/topics/nobody/schemas`, { schema: {} })).toMatchObject({ status: 404 });
    expect(await call(`${url}/topics?page=2`)).toMatchObject({ status: 400, body: { pointer: '/page' } });
    expect(await call(`${url}/topics?limit=0`)).toMatchObject({ status: 400, body: { pointer: '/limit' } });
    expect(await call(`${url}/topics?cursor=%20`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
    expect(await call(`${url}/topics/a.*/events`)).toMatchObject({ status: 400, body: { code: 'invalid_topic' } });
    expect(await call(`${url}/topics/a/events?topic=b`)).toMatchObject({ status: 400, body: { pointer: '/topic' } });
    expect(await call(`${url}/topics/a/events?typ=b`)).toMatchObject({ status: 400, body: { pointer: '/typ' } });
    expect((await call(`${url}/topics/a/events`)).body).toEqual({ data: [], nextCursor: null, complete: true });
    expect((await call(`${url}/topics/a`, { method: 'PATCH' })).status).toBe(405);
    expect(await call(`${url}/topics/a`, { method: 'DELETE' })).toMatchObject({ status: 404 });
  });

  it('answer for the longest topic, in the longest spelling of an address', async () => {
    const { url } = await runService();
    const topic = '界'.repeat(500);
    expect((await postJson(`${url}/topics`, { topic })).status).toBe(201);
    expect((await call(`${url}/topics/${encodeURIComponent(topic)}`)).body).toMatchObject({ topic });
  });

  it('page through the events of a topic by the link of the answer', async () => {
    const { url } = await runService();
    await postJson(
      `${url}/events/batch`,
      [1, 2, 3].map((n) => sample({ payload: { n } })),
    );
    await postJson(`${url}/events`, sample({ topic: 'order/created/late' }));
    const seen: number[] = [];
    let next: string | undefined = '/topics/order%2Fcreated/events?limit=2';
    while (next !== undefined) {
      const page = await call(`${url}${next}`);
      seen.push(...page.body.data.map((event: { payload: { n: number } }) => event.payload.n));
      next = page.headers.get('link')?.match(/^<(.*)>; rel="next"$/)?.[1];
    }
    expect(seen).toEqual([1, 2, 3]);
  });

  it('are the only ones there are when the bus is strict', async () => {
    const { url } = await runService({ topicsStrict: true });
    const refused = await postJson(`${url}/events`, sample());
    expect(refused).toMatchObject({ status: 422, body: { code: 'topic_not_declared', pointer: '/topic' } });
    await postJson(`${url}/topics`, { topic: 'order.created' });
    expect((await postJson(`${url}/events`, sample())).status).toBe(201);
  });

  it('outlive the service, with their schemas', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'topics-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const settings = { adapter: 'journal', dataDir } as const;
    const first = await runService(settings);
    await postJson(`${first.url}/topics`, { topic: 'order.created', schema: TOTAL, description: 'Kept.' });
    const before = await call(`${first.url}/topics/order.created`);
    await first.stop();
    const second = await runService(settings);
    expect((await call(`${second.url}/topics/order.created`)).body).toEqual(before.body);
    expect(await postJson(`${second.url}/events`, sample({ payload: {} }))).toMatchObject({
      status: 422,
      body: { code: 'schema_violation' },
    });
  });
});

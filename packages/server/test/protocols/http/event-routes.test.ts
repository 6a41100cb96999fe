import { describe, expect, it } from 'vitest';
import { call, postJson, runService, sample } from '../../running-service.ts';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('POST /events', () => {
  it('answers 201 with id and cursor, 200 for the same again, 409 for other content under the id', async () => {
    const { url } = await runService();
    const first = await postJson(`${url}/events`, sample({ id: ID }));
    const second = await postJson(`${url}/events`, sample({ id: ID }));
    const third = await postJson(`${url}/events`, sample({ id: ID, payload: { total: 13 } }));
    expect(first.status).toBe(201);
    expect(first.body).toEqual({ id: ID, cursor: expect.any(String), duplicate: false });
    expect(second.status).toBe(200);
    expect(second.body).toEqual({ ...first.body, duplicate: true });
    expect(third.status).toBe(409);
    expect(third.body).toMatchObject({ code: 'id_conflict', pointer: '/id', retryable: false });
  });

  it('takes snake_case spellings, and stores what was meant', async () => {
    const { url } = await runService();
    const { status, body } = await postJson(`${url}/events`, {
      event_type: 'a.b',
      source: 's',
      payload: {},
      correlation_id: 'c-1',
      metadata: { user_id: 'u-1' },
    });
    expect(status).toBe(201);
    const stored = await call(`${url}/events/${body.id}`);
    expect(stored.body).toMatchObject({ type: 'a.b', correlationId: 'c-1', metadata: { userId: 'u-1' } });
  });

  it('says 429 with Retry-After when too much is waiting', async () => {
    const { url } = await runService({ streamsMax: 0 });
    const { status, headers, body } = await call(`${url}/events/stream`);
    expect(status).toBe(429);
    expect(headers.get('retry-after')).toBe('1');
    expect(body).toMatchObject({ code: 'overloaded', retryable: true });
  });
});

describe('POST /events/batch', () => {
  it('answers 201 when all are stored, 200 when all were there, 207 when they differ', async () => {
    const { url } = await runService();
    const events = [sample({ id: ID }), sample({ id: ID.replace('0', '1') })];
    const stored = await postJson(`${url}/events/batch`, events);
    expect(stored.status).toBe(201);
    expect(stored.body).toMatchObject({ stored: 2, duplicates: 0, failed: 0 });
    const again = await postJson(`${url}/events/batch`, { events });
    expect(again.status).toBe(200);
    expect(again.body.results.map((result: { duplicate: boolean }) => result.duplicate)).toEqual([true, true]);
    const mixed = await postJson(`${url}/events/batch`, [events[0], { type: 'x' }, sample()]);
    expect(mixed.status).toBe(207);
    expect(mixed.body.results.map((result: { status: number }) => result.status)).toEqual([200, 400, 201]);
    expect(mixed.body.results[1].error).toMatchObject({ code: 'invalid_event', pointer: '/1/source' });
  });

  it('points into the field when the list is wrapped, also at a conflict', async () => {
    const { url } = await runService();
    await postJson(`${url}/events`, sample({ id: ID }));
    const events = [sample(), sample({ id: ID, payload: { total: 1 } }), { ...sample(), priority: 9 }];
    const { status, body } = await postJson(`${url}/events/batch`, { events });
    expect(status).toBe(207);
    expect(body.results[1].error).toMatchObject({ status: 409, code: 'id_conflict', pointer: '/events/1/id' });
    expect(body.results[2].error.pointer).toBe('/events/2/priority');
  });

  it('stores an empty batch, which is nothing', async () => {
    const { url } = await runService();
    const { status, body } = await postJson(`${url}/events/batch`, []);
    expect(status).toBe(200);
    expect(body).toEqual({ results: [], stored: 0, scheduled: 0, duplicates: 0, failed: 0 });
  });

  it('refuses more events than a batch may hold, storing none', async () => {
    const { url } = await runService();
    const { status, body } = await postJson(
      `${url}/events/batch`,
      Array.from({ length: 10_001 }, () => 1),
    );
    expect(status).toBe(413);
    expect(body.code).toBe('batch_too_large');
  });
});

describe('POST /events/batch as newline-delimited JSON', () => {
  it('takes far more than a JSON body may hold and answers each line in order', async () => {
    const { url } = await runService();
    const padding = 'x'.repeat(1_000);
    const lines = Array.from({ length: 6_000 }, (_, index) => JSON.stringify(sample({ payload: { index, padding } })));
    lines[17] = '{"type": 1}';
    lines[18] = '  ';
    lines[19] = '{"broken"';
    const body = `${lines.join('\n')}\r\n`;
    expect(body.length).toBeGreaterThan(4 * 1024 * 1024);
    const answer = await call(`${url}/events/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    expect(answer.status).toBe(207);
    const results = answer.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(results.length).toBe(5_999);
    expect(results.map((result: { index: number }) => result.index)).toEqual(
      results.map((_: unknown, at: number) => at),
    );
    const failed = results.filter((result: { status: number }) => result.status !== 201);
    expect(failed).toMatchObject([
      { index: 17, status: 400, error: { code: 'invalid_event', pointer: '/type' } },
      { index: 18, status: 400, error: { code: 'invalid_json' } },
    ]);
    const { body: health } = await call(`${url}/health`);
    expect(health.head).toBe(5_997);
  });

  it('refuses a line longer than the limit without keeping it, and ends there: it may be endless', async () => {
    const { url } = await runService();
    const body = `${JSON.stringify(sample())}\n${'['.repeat(5 * 1024 * 1024)}\n${JSON.stringify(sample())}`;
    const answer = await call(`${url}/events/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    const results = answer.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(results).toMatchObject([{ status: 201 }, { status: 413, error: { code: 'event_too_large' } }]);
  });
});

describe('GET /events', () => {
  it('pages through what matches with cursors and links until there is no more', async () => {
    const { url } = await runService();
    const ids: string[] = [];
    for (let number = 0; number < 7; number++) {
      ids.push((await postJson(`${url}/events`, sample({ payload: { number } }))).body.id);
      await postJson(`${url}/events`, sample({ type: 'user.created' }));
    }
    const seen: string[] = [];
    let next: string | undefined = `/events?type=order.*&source=shop&source=other&limit=3`;
    while (next !== undefined) {
      const page: Awaited<ReturnType<typeof call>> = await call(`${url}${next}`);
      expect(page.status).toBe(200);
      expect(page.body.complete).toBe(true);
      seen.push(...page.body.data.map((event: { id: string }) => event.id));
      next = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      expect(page.body.nextCursor === null).toBe(next === undefined);
    }
    expect(seen).toEqual(ids);
    const newest = await call(`${url}/events?type=order.*&order=desc&limit=2`);
    expect(newest.body.data.map((event: { id: string }) => event.id)).toEqual([ids[6], ids[5]]);
  });

  it('finds by every field of a query', async () => {
    const { url } = await runService();
    const metadata = { userId: 'u', projectId: 'p' };
    const { body: wanted } = await postJson(
      `${url}/events`,
      sample({ correlationId: 'c', priority: 'HIGH', metadata }),
    );
    await postJson(`${url}/events`, sample({ type: 'other.thing', source: 'else', metadata: { userId: 'x' } }));
    const narrow = '&topic=order.*';
    const [past, future] = ['2001-01-01T00:00:00%2B01:00', '9999-01-01T00:00:00Z'];
    const questions = [
      ...['topic=order.*', 'topic=order/created', 'topic=%23.created'],
      ...['type=order.created', 'types=order.*', 'type=nothing&type=order.created'],
      ...['source=shop', 'sources=shop', 'source=nobody&source=shop'],
      ...['priority=HIGH', 'priority=high', 'priority=1', 'priorities=0&priorities=1'],
      ...['userId=u', 'user_id=u', 'projectId=p', 'project_id=p', 'correlationId=c', 'correlation_id=c'],
      ...['from', 'from_ms', 'fromMs', 'startTime', 'start_time', 'since'].map((name) => `${name}=${past}${narrow}`),
      ...['from', 'since'].map((name) => `${name}=-1000${narrow}`),
      ...['to', 'to_ms', 'toMs', 'endTime', 'end_time', 'until'].map((name) => `${name}=${future}${narrow}`),
      `topic=order.*&type=order.*&source=shop&priority=1&userId=u&projectId=p&correlationId=c&from=0&to=${future}`,
    ];
    for (const question of questions) {
      const { body } = await call(`${url}/events?${question}`);
      expect(
        body.data?.map((event: { id: string }) => event.id),
        question,
      ).toEqual([wanted.id]);
    }
    for (const name of ['from', 'since', 'start_time']) {
      expect((await call(`${url}/events?${name}=${future}`)).body.data, name).toEqual([]);
    }
    for (const name of ['userId', 'project_id', 'correlationId', 'source']) {
      expect((await call(`${url}/events?${name}=nobody`)).body.data, name).toEqual([]);
    }
    const { body } = await call(`${url}/events?to=1000`);
    expect(body).toEqual({ data: [], nextCursor: null, complete: true });
  });
});

describe('GET /events/:id', () => {
  it('answers the stored event, whatever the case of the id, or 404', async () => {
    const { url } = await runService();
    await postJson(`${url}/events`, sample({ id: ID }));
    expect((await call(`${url}/events/${ID.toUpperCase()}`)).body.id).toBe(ID);
    for (const strange of [ID.replace('0', '2'), 'x', '%00', '..%2f..%2fetc%2fpasswd']) {
      const { status, body } = await call(`${url}/events/${strange}`);
      expect([status, body.code]).toEqual([404, 'event_not_found']);
    }
  });
});

describe('events for later', () => {
  const FAR = '2099-01-01T00:00:00.000Z';

  it('answers 202 with the time, 200 for the same again, and shows and cancels them', async () => {
    const { url } = await runService();
    const first = await postJson(`${url}/events`, sample({ id: ID, deliver_at: FAR }));
    expect([first.status, first.body]).toEqual([
      202,
      { id: ID, cursor: expect.any(String), duplicate: false, scheduledFor: FAR },
    ]);
    const again = await postJson(`${url}/events`, sample({ id: ID, deliver_at: FAR }));
    expect([again.status, again.body.duplicate, again.body.scheduledFor]).toEqual([200, true, FAR]);
    const { body: page } = await call(`${url}/scheduled`);
    expect(page).toEqual({
      data: [{ ...page.data[0], id: ID, scheduledFor: FAR, type: 'order.created', priority: 'NORMAL' }],
      nextCursor: null,
    });
    expect((await call(`${url}/scheduled/${ID}`)).body).toMatchObject({ scheduledFor: FAR, event: { id: ID } });
    const cancelled = await call(`${url}/scheduled/${ID.toUpperCase()}`, { method: 'DELETE' });
    expect([cancelled.status, cancelled.body]).toEqual([200, { id: ID, cancelled: true }]);
    const gone = await call(`${url}/scheduled/${ID}`, { method: 'DELETE' });
    expect([gone.status, gone.body.code]).toEqual([404, 'scheduled_not_found']);
  });

  it('pages through what waits, and refuses other cursors', async () => {
    const { url } = await runService();
    for (const day of [3, 1, 2]) await postJson(`${url}/events`, sample({ deliverAt: `2099-01-0${day}T00:00:00Z` }));
    const days: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await call(`${url}/scheduled?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      days.push(...body.data.map(({ scheduledFor }: { scheduledFor: string }) => scheduledFor.slice(8, 10)));
      cursor = body.nextCursor;
    }
    expect(days).toEqual(['01', '02', '03']);
    expect((await call(`${url}/scheduled?cursor=AQABDMpF_w`)).body.code).toBe('invalid_cursor');
    expect((await call(`${url}/scheduled?limit=0`)).body.code).toBe('invalid_query');
  });

  it('tells each event of a batch what became of it', async () => {
    const { url } = await runService();
    const later = sample({ deliverAt: FAR });
    const mixed = await postJson(`${url}/events/batch`, [later, sample(), { ...later, delayMs: 5 }]);
    expect(mixed.status).toBe(207);
    expect(mixed.body).toMatchObject({ stored: 1, scheduled: 1, duplicates: 0, failed: 1 });
    expect(mixed.body.results[0]).toMatchObject({ status: 202, scheduledFor: FAR });
    expect(mixed.body.results[2].error).toMatchObject({ code: 'invalid_event', pointer: '/2/delayMs' });
    expect((await postJson(`${url}/events/batch`, [later, later])).status).toBe(202);
    const body = `${JSON.stringify(later)}\n${JSON.stringify(sample())}\n`;
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await (await fetch(`${url}/events/batch`, { method: 'POST', body, headers })).text();
    expect(
      answer
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).status),
    ).toEqual([202, 201]);
  });
});

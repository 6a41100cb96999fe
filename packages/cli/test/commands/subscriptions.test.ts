import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { receiver } from '../support/receiver.ts';
import { start, temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';

describe('subscriptions', () => {
  it('show why one was stopped, and how its receiver is', async () => {
    const { em } = await runningService();
    const { url: endpoint } = await receiver(410);
    const made = await em(['subscriptions', 'create', '--topic', '#', '--endpoint', endpoint, '--json']);
    const { id } = JSON.parse(made.out);
    const shown = async () => JSON.parse((await em(['subscriptions', 'get', id])).out);
    expect((await shown()).status.receiver).toEqual({ breaker: 'closed', failuresInARow: 0 });
    await em(['publish', 'order.created', '{}', '--source', 'shop']);
    await expect.poll(async () => (await shown()).state, { timeout: 10_000 }).toBe('stopped');
    expect((await shown()).stoppedReason).toMatchObject({ code: 'http_410' });
    expect((await em(['subscriptions', 'list'])).out).toMatch(/ stopped: http_410 /);
    expect(JSON.parse((await em(['subscriptions', 'resume', id])).out)).not.toHaveProperty('stoppedReason');
  });

  it('go over a WebSocket, and by webhook while nobody is connected', async () => {
    const { em } = await runningService();
    const { url: hook } = await receiver(200);
    const endpoint = 'ws://127.0.0.1:9/events';
    const create = ['subscriptions', 'create', '--json', '--topic'];
    const dialled = await em([...create, 'alarm.*', '--endpoint', endpoint, '--fallback', hook]);
    expect(JSON.parse(dialled.out).sink).toMatchObject({ kind: 'websocket', endpoint, fallback: { endpoint: hook } });
    const accepted = await em([...create, 'a', '--name', 'in real time', '--fallback', hook, '--realtime']);
    expect(JSON.parse(accepted.out).sink).toEqual({ kind: 'socket', fallback: { endpoint: hook } });
    const { out } = await em(['subscriptions', 'list']);
    expect(out).toContain(`${endpoint}, else ${hook}\n`);
    expect(out).toContain(`socket, else ${hook}\n`);
    const { id } = JSON.parse(accepted.out);
    const changed = await em(['subscriptions', 'update', id, '{"realtime":false}', '--json']);
    expect(JSON.parse(changed.out).sink).toEqual({ kind: 'webhook', endpoint: hook });
  });

  it('without an endpoint are pulled: printed, and done when that was wanted', async () => {
    const { em } = await runningService();
    expect((await em(['subscriptions', 'pull', 'nightly'])).code).toBe(4);
    const options = '{"timeoutMs":50}';
    const made = await em(['subscriptions', 'create', '--name', 'nightly', '--topic', '#', '--options', options]);
    expect([made.code, JSON.parse(made.out).sink]).toEqual([0, { kind: 'pull' }]);
    await em(['publish', 'order.created', '{"n":1}', '--source', 'shop']);
    const looked = await em(['subscriptions', 'pull', 'nightly']);
    expect([looked.code, looked.out, looked.err]).toEqual([
      0,
      expect.stringMatching(/ order\.created {2}from shop .*\{"n":1\}/),
      expect.stringMatching(/not acknowledged: they come again after /),
    ]);
    const taken = await em(['subscriptions', 'pull', 'nightly', '--wait', '10', '--ack', '--json']);
    expect(JSON.parse(taken.out)).toMatchObject({ attempt: 2, event: { type: 'order.created', payload: { n: 1 } } });
    const empty = await em(['subscriptions', 'pull', JSON.parse(made.out).id, '--max', '5']);
    expect([empty.code, empty.out, empty.err]).toEqual([0, '', expect.stringContaining('nothing is owed now')]);
  });

  it('show the keys that wait, and let one of them or all of them go on', async () => {
    const { em } = await runningService();
    const { url: endpoint } = await receiver(400);
    const options = '{"order":"topic","onFailure":"park","retryPolicy":{"maxRetries":0}}';
    await em([
      'subscriptions',
      'create',
      '--name',
      'billing',
      '--topic',
      '#',
      '--endpoint',
      endpoint,
      '--options',
      options,
    ]);
    for (const type of ['a.made', 'a.made', 'b.made', 'c.made', 'c.made']) await em(['publish', type, '{}']);
    const keys = async () =>
      JSON.parse((await em(['subscriptions', 'keys', 'billing', '--json', '--state', 'parked'])).out);
    const parked = async () => (await keys()).map(({ key }: { key: string }) => key);
    await expect.poll(parked, { timeout: 10_000 }).toEqual(['a/made', 'b/made', 'c/made']);
    const none = await em(['subscriptions', 'keys', 'billing', '--state', 'blocked']);
    expect([none.code, none.err]).toEqual([0, expect.stringContaining('no key is blocked')]);
    expect((await em(['subscriptions', 'keys', 'billing', '--state', 'free'])).code).toBe(2);
    expect((await em(['subscriptions', 'release', 'billing', 'b/made'])).out).toBe('released b/made: 0 go on\n');
    expect((await em(['subscriptions', 'release', 'billing', 'b/made'])).out).toBe('b/made is not parked\n');
    expect((await em(['subscriptions', 'release', 'billing', '--all'])).out).toBe('released 2 keys: 2 events go on\n');
    for (const wrong of [[], ['a/made', '--all']]) {
      const { code, err } = await em(['subscriptions', 'release', 'billing', ...wrong]);
      expect([code, err]).toEqual([2, expect.stringContaining('either a key or --all is needed')]);
    }
  });

  it('are answered by what pull called their deliveries', async () => {
    const { em } = await runningService();
    const options = '{"retryPolicy":{"maxRetries":0}}';
    await em(['subscriptions', 'create', '--name', 'nightly', '--topic', '#', '--options', options]);
    for (const n of [1, 2, 3, 4]) await em(['publish', 'order.created', `{"n":${n}}`, '--source', 'shop']);
    const pulled = await em(['subscriptions', 'pull', 'nightly', '--max', '4', '--json']);
    const [one, two, three, four] = pulled.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).delivery as string);
    const extended = await em(['subscriptions', 'extend', 'nightly', four!]);
    expect([extended.code, extended.out]).toEqual([0, expect.stringMatching(/^extended 1 until \S+Z\n$/)]);
    const done = await em(['subscriptions', 'ack', 'nightly', `${one},${two}`]);
    expect(done).toEqual({ code: 0, out: 'acknowledged 2\n', err: '' });
    const why = ['--dead-letter', '--error', 'out of paper', '--metadata', '{"printer":3}'];
    expect((await em(['subscriptions', 'nack', 'nightly', three!, ...why, '--json'])).out).toBe('{"stale":[]}\n');
    const late = await em(['subscriptions', 'nack', 'nightly', `${three},${four}`, '--after', '1h']);
    expect([late.code, late.out, late.err]).toEqual([1, 'refused 1\n', `1 came too late and come again: ${three}\n`]);
    await expect
      .poll(async () => (await em(['dead-letters', 'list', '--subscription', 'nightly', '--json'])).out, {
        timeout: 10_000,
      })
      .toMatch(/out of paper/);
    expect((await em(['subscriptions', 'ack', 'of no such name', one!])).code).toBe(4);
  });

  it('are not acknowledged when whoever reads them goes away before', async () => {
    const { em, url } = await runningService();
    await em(['subscriptions', 'create', '--name', 'nightly', '--topic', '#', '--options', '{"timeoutMs":50}']);
    await em(['publish', 'order.created', '{"n":1}', '--source', 'shop']);
    const reading = start(['subscriptions', 'pull', 'nightly', '--ack'], { environment: { EVENT_MANAGER_URL: url } });
    reading.hangUp();
    expect((await reading.result).code).toBe(141);
    const again = await em(['subscriptions', 'pull', 'nightly', '--wait', '10', '--ack', '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ attempt: 2, event: { payload: { n: 1 } } });
  });

  it('are made by flags or a file, listed, changed, paused, resumed and ended', async () => {
    const { em } = await runningService();
    const { url: endpoint } = await receiver(200);
    const made = await em([
      'subscriptions',
      'create',
      '--name',
      'billing',
      '--topic',
      'order.*',
      '--endpoint',
      endpoint,
      '--json',
    ]);
    const { id } = JSON.parse(made.out);
    expect([made.code, JSON.parse(made.out)]).toEqual([
      0,
      expect.objectContaining({ name: 'billing', topic: 'order.*' }),
    ]);

    const path = join(temporaryFolder(), 'request.json');
    writeFileSync(path, JSON.stringify({ topic: 'user.*', endpoint, filter: { priority: 'HIGH' } }));
    const byFile = await em([
      'subscriptions',
      'create',
      `@${path}`,
      '--name',
      'audit',
      '--options',
      '{"batchSize":5}',
      '--json',
    ]);
    expect(JSON.parse(byFile.out)).toMatchObject({ name: 'audit', topic: 'user.*', options: { batchSize: 5 } });
    const byInput = await em(['subscriptions', 'create', '-', '--json'], {
      stdin: JSON.stringify({ topic: 'a', endpoint }),
    });
    expect(byInput.code).toBe(0);

    const list = await em(['subscriptions', 'list']);
    expect(list.out).toMatch(/^ID +NAME +STATE +TOPIC +GOES TO\n/);
    expect(list.out).toMatch(new RegExp(`${id}  billing  active  order\\.\\*  http://127`));
    expect(JSON.parse((await em(['subscriptions', 'list', '--json'])).out)).toHaveLength(3);

    const changed = await em(['subscriptions', 'update', id, '{"options":{"maxConcurrency":4}}', '--json']);
    expect(JSON.parse(changed.out)).toMatchObject({ id, options: { maxConcurrency: 4 } });
    expect(JSON.parse((await em(['subscriptions', 'pause', id, '--json'])).out)).toMatchObject({ state: 'paused' });
    expect(JSON.parse((await em(['subscriptions', 'get', id])).out)).toMatchObject({ state: 'paused', status: {} });
    expect(JSON.parse((await em(['subscriptions', 'get', 'billing'])).out)).toMatchObject({ id });
    const letters = await em(['dead-letters', 'list', '--subscription', 'billing']);
    expect([letters.code, letters.err]).toEqual([0, 'no dead letters\n']);
    expect((await em(['subscriptions', 'get', 'of no such name'])).code).toBe(4);
    expect(JSON.parse((await em(['subscriptions', 'resume', id])).out)).toMatchObject({ state: 'active' });
    expect(await em(['subscriptions', 'delete', id])).toEqual({ code: 0, out: `deleted ${id}\n`, err: '' });
    expect((await em(['subscriptions', 'get', id])).code).toBe(4);
    expect((await em(['subscriptions', 'pause', id])).code).toBe(4);
  });

  it('keep their secret out of the command line and out of the answer', async () => {
    const { em } = await runningService();
    const { url: endpoint } = await receiver(200);
    const path = join(temporaryFolder(), 'secret');
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    writeFileSync(path, `${secret}\n`);
    const { code, out } = await em([
      'subscriptions',
      'create',
      '--topic',
      'a',
      '--endpoint',
      endpoint,
      '--secret-file',
      path,
    ]);
    expect([code, out.includes(secret), out.includes('***')]).toEqual([0, false, true]);
    const missing = await em([
      'subscriptions',
      'create',
      '--topic',
      'a',
      '--endpoint',
      endpoint,
      '--secret-file',
      '/nowhere',
    ]);
    expect([missing.code, missing.err]).toEqual([
      2,
      expect.stringMatching(/--secret-file names a file that cannot be read/),
    ]);
  });

  it('are refused with the reason of the service', async () => {
    const { em } = await runningService();
    const refused = await em(['subscriptions', 'create', '--topic', 'a..b', '--endpoint', 'https://example.com/']);
    expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/\(at \/topic\) \[invalid_pattern/)]);
    const blocked = await em(['subscriptions', 'create', '--topic', 'a', '--endpoint', 'http://10.0.0.1/']);
    expect([blocked.code, blocked.err]).toEqual([1, expect.stringMatching(/\[endpoint_blocked/)]);
  });

  it('are sent a test event, and say when it was not taken', async () => {
    const { em } = await runningService();
    const [good, bad] = [await receiver(204), await receiver(500)];
    const idOf = async (endpoint: string) =>
      JSON.parse((await em(['subscriptions', 'create', '--topic', 'a', '--endpoint', endpoint, '--json'])).out).id;
    const taken = await em(['subscriptions', 'test', await idOf(good.url), '--json']);
    expect([taken.code, JSON.parse(taken.out)]).toEqual([
      0,
      expect.objectContaining({ status: 'delivered', httpStatus: 204 }),
    ]);
    const refused = await em(['subscriptions', 'test', await idOf(bad.url)]);
    expect([refused.code, JSON.parse(refused.out)]).toEqual([1, expect.objectContaining({ status: 'failed' })]);
    expect((await em(['subscriptions', 'test', '0198c0de-0000-7000-8000-00000000000a'])).code).toBe(4);
    expect([good.taken(), bad.taken()]).toEqual([1, 1]);
  });
});

describe('dead letters', () => {
  it('are listed, of all subscriptions or of one, and printed with their event', async () => {
    const { em } = await runningService();
    const { url: endpoint } = await receiver(500);
    const options = '{"retryPolicy":{"maxRetries":0}}';
    const made = await em([
      'subscriptions',
      'create',
      '--topic',
      '#',
      '--endpoint',
      endpoint,
      '--options',
      options,
      '--json',
    ]);
    const { id: subscriptionId } = JSON.parse(made.out);
    expect(await em(['dead-letters', 'list'])).toEqual({ code: 0, out: '', err: 'no dead letters\n' });
    await em(['publish', 'order.created', '{"total":1}', '--quiet']);
    let listed = '';
    while (listed === '') listed = (await em(['dead-letters', 'list', '--json'])).out;
    const letter = JSON.parse(listed);
    expect(letter).toMatchObject({
      subscriptionId,
      attempts: 1,
      event: { type: 'order.created', payload: { total: 1 } },
    });
    expect((await em(['dead-letters', 'list'])).out).toMatch(
      new RegExp(`${letter.id}  open +\\S+  ${subscriptionId}  \\S+  1  `),
    );
    expect((await em(['dead-letters', 'list', '--subscription', subscriptionId, '--json'])).out).toBe(listed);
    const one = await em(['dead-letters', 'get', letter.id, '--json']);
    expect(JSON.parse(one.out)).toEqual(letter);
    expect((await em(['dead-letters', 'get', '0198c0de-0000-7000-8000-00000000000a'])).code).toBe(4);
    expect((await em(['dead-letters', 'list', '--subscription', '0198c0de-0000-7000-8000-00000000000a'])).code).toBe(0);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/run.ts';
import { runningService } from '../support/service.ts';

it('declares topics, holds payloads against their schema, and adds versions to it', async () => {
  const { em } = await runningService();
  expect(await em(['topics', 'list'])).toMatchObject({
    code: 0,
    out: '',
    err: 'no topic is declared; none has to be\n',
  });
  const path = join(temporaryFolder(), 'schema.json');
  writeFileSync(path, JSON.stringify({ type: 'object', required: ['total'] }));
  const made = await em([
    'topics',
    'create',
    'order.created',
    '--schema',
    `@${path}`,
    '--description',
    'placed',
    '--json',
  ]);
  expect([made.code, JSON.parse(made.out)]).toEqual([
    0,
    expect.objectContaining({ topic: 'order.created', description: 'placed' }),
  ]);
  await em(['topics', 'create', 'user.created']);
  expect((await em(['publish', 'order.created'])).err).toMatch(/\(at \/payload\S*\) \[schema_violation/);
  expect((await em(['publish', 'order.created', '{"total":1}'])).code).toBe(0);
  const rejections = await em(['topics', 'rejections']);
  expect(rejections.out).toMatch(
    /^REFUSED .*\n\S+ {2}order\/created {2}order\.created {2}event-manager-cli {2}\/payload\S* /,
  );
  expect(JSON.parse((await em(['topics', 'rejections', '--json'])).out)).toMatchObject({
    data: [{ type: 'order.created' }],
  });

  const stricter = '{"type":"object","required":["total","currency"]}';
  const refused = await em(['topics', 'add-schema', 'order.created', stricter]);
  expect([refused.code, refused.err]).toEqual([1, expect.stringMatching(/\[schema_incompatible/)]);
  const added = await em(['topics', 'add-schema', 'order.created', '-', '--compatibility', 'none', '--json'], {
    stdin: stricter,
  });
  expect(JSON.parse(added.out).versions).toHaveLength(2);

  const list = await em(['topics', 'list']);
  expect(list.out).toMatch(/order\.created {2}version 2 {2}none {11}placed\nuser\.created {3}none {7}backward\n/);
  expect(JSON.parse((await em(['topics', 'get', 'order/created', '--json'])).out)).toMatchObject({
    topic: 'order.created',
  });
  expect((await em(['topics', 'get', 'order.paid'])).code).toBe(4);
  expect((await em(['topics', 'create', 'x', '--compatibility', 'forward'])).code).toBe(2);
});

it('forgets a declaration, and says so when there is none', async () => {
  const { em } = await runningService();
  await em(['topics', 'create', 'order.created', '--schema', '{"required":["total"]}']);
  expect((await em(['topics', 'remove', 'order.created'])).out).toBe('removed order.created\n');
  expect((await em(['publish', 'order.created'])).code).toBe(0);
  expect((await em(['topics', 'remove', 'order.created'])).err).toMatch(/\[topic_not_found/);
});

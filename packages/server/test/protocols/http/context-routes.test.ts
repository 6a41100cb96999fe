import { expect, it } from 'vitest';
import { call, postJson, putJson, runService } from '../../running-service.ts';

it('keeps whom a subscriber works for, by the name that its subscriptions give', async () => {
  const { url } = await runService();
  const address = `${url}/contexts/${encodeURIComponent('a/b c')}`;
  const first = await putJson(address, { user_ids: ['u2', 'u1'] });
  expect([first.status, first.body]).toEqual([
    201,
    expect.objectContaining({ subscriber: 'a/b c', userIds: ['u1', 'u2'], projectIds: [], sessionIds: [] }),
  ]);
  expect((await putJson(address, { projects: ['p'] })).status).toBe(200);
  expect((await call(address)).body).toMatchObject({ userIds: [], projectIds: ['p'] });
  expect((await call(address, { method: 'DELETE' })).status).toBe(204);
  for (const method of ['GET', 'DELETE']) {
    expect(await call(address, { method })).toMatchObject({ status: 404, body: { code: 'context_not_found' } });
  }
});

it('gives the list in pages', async () => {
  const { url } = await runService();
  for (const name of ['c', 'a', 'b']) await putJson(`${url}/contexts/${name}`, { users: [] });
  const first = await call(`${url}/contexts?limit=2`);
  expect(first.body).toMatchObject({ data: [{ subscriber: 'a' }, { subscriber: 'b' }] });
  const second = await call(`${url}/contexts?limit=2&cursor=${first.body.nextCursor}`);
  expect(second.body).toMatchObject({ data: [{ subscriber: 'c' }], nextCursor: null });
  expect(await call(`${url}/contexts?limit=0`)).toMatchObject({ status: 400, body: { pointer: '/limit' } });
  expect(await call(`${url}/contexts?cursor=x`)).toMatchObject({ status: 400, body: { code: 'invalid_cursor' } });
});

it.each([
  [{}, ''],
  [{ userIds: ['a', 5] }, '/userIds/1'],
  [{ userIds: ['a'], users: ['b'] }, '/users'],
  [[], ''],
])('refuses %j with its place', async (context, pointer) => {
  const { url } = await runService();
  const { status, body } = await putJson(`${url}/contexts/aas`, context);
  expect([status, body.code, body.pointer]).toEqual([400, 'invalid_context', pointer]);
});

it('shows the context of a subscription itself, and takes it away again', async () => {
  const { url } = await runService();
  const request = { topic: 'a', endpoint: 'https://example.com/', context: { user_ids: ['u1'] } };
  const { body } = await postJson(`${url}/subscriptions`, { ...request, filter: { user_relevant: true } });
  expect(body).toMatchObject({ context: { userIds: ['u1'], projectIds: [], sessionIds: [] } });
  const patch = (changes: object) =>
    call(`${url}/subscriptions/${body.id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(changes),
    });
  expect((await patch({ topic: 'b' })).body).toMatchObject({ context: { userIds: ['u1'] } });
  expect((await patch({ context: {} })).body).not.toHaveProperty('context');
});

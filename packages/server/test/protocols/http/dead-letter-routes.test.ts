import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Configuration } from '../../../src/index.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

/** A service with a receiver that refuses everything, two subscriptions to it, and so many dead letters of each. */
async function withLetters(
  count: number,
  settings: Partial<Configuration> = {},
): Promise<{ url: string; ids: readonly string[] }> {
  const { url } = await runService({ webhookAllow: ['loopback'], ...settings });
  const server = createServer(
    (request, response) => void request.resume().on('end', () => response.writeHead(500).end()),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ids: string[] = [];
  for (const name of ['a', 'b']) {
    const options = { retryPolicy: { maxRetries: 1, initialDelay: 1, jitter: false } };
    ids.push((await postJson(`${url}/subscriptions`, { name, topic: '#', endpoint, options })).body.id);
  }
  for (let number = 0; number < count; number++) await postJson(`${url}/events`, sample({ payload: { number } }));
  // The letters are written after the answers of the receiver: asking again is the way to wait for them.
  while ((await call(`${url}/dead-letters`)).body.data.length < 2 * count);
  return { url, ids };
}

it('pages through the dead letters of all subscriptions, of one, and of one that was removed', async () => {
  const { url, ids } = await withLetters(5);
  const pages = async (path: string) => {
    const seen: { id: string; subscriptionId: string }[] = [];
    let cursor = '';
    while (cursor !== '&cursor=null') {
      const { status, body } = await call(`${url}${path}limit=2${cursor}`);
      expect(status).toBe(200);
      seen.push(...body.data);
      cursor = `&cursor=${body.nextCursor}`;
    }
    return seen;
  };
  const all = await pages('/dead-letters?');
  expect(new Set(all.map(({ id }) => id)).size).toBe(10);
  expect(await pages(`/subscriptions/${ids[1]}/dead-letters?`)).toEqual(
    all.filter(({ subscriptionId }) => subscriptionId === ids[1]),
  );
  await call(`${url}/subscriptions/${ids[0]}`, { method: 'DELETE' });
  for (const spelling of ['subscriptionId', 'subscription_id']) {
    expect(await pages(`/dead-letters?${spelling}=${ids[0]}&`), spelling).toHaveLength(5);
  }
});

it.each(['memory', 'journal'] as const)(
  'tells one dead letter with its event and every error (%s)',
  async (adapter) => {
    const dataDir = mkdtempSync(join(tmpdir(), 'event-manager-letters-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const { url, ids } = await withLetters(1, { adapter, dataDir });
    const [first] = (await call(`${url}/dead-letters?subscriptionId=${ids[0]}`)).body.data;
    const { status, body } = await call(`${url}/dead-letters/${first.id.toUpperCase()}`);
    expect(status).toBe(200);
    expect(body).toEqual(first);
    expect(body.errors).toMatchObject([
      { attempt: 1, code: 'http_500' },
      { attempt: 2, code: 'http_500' },
    ]);
    const stored = await (await fetch(`${url}/events/${body.eventId}`)).text();
    expect(body.event).toBe(stored);
  },
);

it.each([
  ['/dead-letters/01890a5d-ac96-774b-bcce-b302099a8057', 404, 'dead_letter_not_found', undefined],
  ['/dead-letters/x', 404, 'dead_letter_not_found', undefined],
  ['/dead-letters?limit=101', 400, 'invalid_query', '/limit'],
  ['/dead-letters?limit=0', 400, 'invalid_query', '/limit'],
  ['/dead-letters?cursor=x', 400, 'invalid_cursor', '/cursor'],
  ['/dead-letters?colour=red', 400, 'invalid_query', '/colour'],
  ['/dead-letters?subscriptionId=a&subscription_id=b', 400, 'invalid_query', '/subscription_id'],
])('refuses %s', async (path, status, code, pointer) => {
  const { url } = await runService();
  const { body } = await call(`${url}${path}`);
  expect([body.status, body.code, body.pointer]).toEqual([status, code, pointer]);
});

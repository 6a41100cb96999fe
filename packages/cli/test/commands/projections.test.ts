import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventManagerClient } from '@event-manager/client';
import { EventManager } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it, onTestFinished } from 'vitest';
import { runningService } from '../support/service.ts';

const lines = (out: string) => out.trimEnd().split('\n');

/** What an application folded into its journal, which the service then has. */
async function folded(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'event-manager-projections-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  await using events = new EventManager({ adapter: journal({ directory }) });
  await events.publishBatch([1, 2, 3].map((n) => ({ type: 'order.paid', source: 'shop', payload: { n } })));
  const apply = (sum: number, { payload }: { payload: object }) => sum + (payload as { n: number }).n;
  const sum = await events.project({ name: 'sum', initial: 0, apply });
  const each = await events.project({
    name: 'each',
    topic: 'order.*',
    key: ({ payload }) => `k${payload['n']}\u001b`,
    initial: 0,
    apply,
  });
  await Promise.all([sum.caughtUp(), each.caughtUp()]);
  return directory;
}

it('shows what programs fold events into, to people, programs and clients', async () => {
  const { em, url } = await runningService(await folded());
  const listed = await em(['projections', 'list']);
  expect(lines(listed.out).map((line) => line.split(/ {2,}/).slice(0, 6))).toEqual([
    ['NAME', 'VERSION', 'TOPIC', 'FOLDED', 'STATES', 'GAPS'],
    ['each', '1', 'order.*', '3', '3', '0'],
    ['sum', '1', '#', '3', '1', '0'],
  ]);
  expect(JSON.parse((await em(['projections', 'list', '--json'])).out)).toMatchObject([
    { name: 'each' },
    { name: 'sum' },
  ]);
  expect((await em(['projections', 'get', 'sum'])).out).toBe('6\n');
  expect((await em(['projections', 'get', 'each', 'k2\u001b', '--json'])).out).toBe('2\n');
  expect((await em(['projections', 'get', 'each', 'k9'])).out).toBe('null\n');
  expect(lines((await em(['projections', 'keys', 'each'])).out)).toEqual(['k1\\u001b', 'k2\\u001b', 'k3\\u001b']);

  await using client = new EventManagerClient(url);
  expect(await client.getProjection('sum')).toMatchObject({ name: 'sum', folded: 3 });
  expect(await client.listProjectionKeys('each')).toHaveLength(3);
  const keys = async (query: string) =>
    (await (await fetch(`${url}/projections/each/keys?${query}`)).json()) as { nextCursor: string };
  const first = await keys('limit=1');
  expect(first).toMatchObject({ data: ['k1\u001b'] });
  expect(await keys(`cursor=${first.nextCursor}`)).toEqual({ data: ['k2\u001b', 'k3\u001b'], nextCursor: null });

  expect(await em(['projections', 'remove', 'each'])).toMatchObject({ code: 0, out: 'removed each\n' });
  expect((await em(['projections', 'keys', 'each'])).code).toBe(4);
  expect(lines((await em(['projections', 'list'])).out)).toHaveLength(2);
});

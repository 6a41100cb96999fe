import { Client } from 'pg';
import { expect, it } from 'vitest';
import { until } from '../../src/conformance/until.ts';
import { FaultProxy } from '../../src/fault-proxy/fault-proxy.ts';
import { createTestDatabase, skipWithout } from '../../src/servers/index.ts';

it('cuts between a COMMIT and its answer: the client hears of a failure, and the row is there', async (context) => {
  await skipWithout('postgres', context);
  await using database = await createTestDatabase();
  await using proxy = await FaultProxy.start(database.url);
  const client = new Client(proxy.url);
  client.on('error', () => {});
  await client.connect();
  await client.query('CREATE TABLE kept (n int)');
  await client.query('BEGIN');
  await client.query('INSERT INTO kept VALUES (7)');
  proxy.cutWhen((direction, bytes) => direction === 'down' && bytes.includes('COMMIT'));
  await expect(client.query('COMMIT')).rejects.toThrow();
  await until('no connection is left', () => proxy.counts.open === 0);

  proxy.heal();
  const next = new Client(proxy.url);
  await next.connect();
  expect((await next.query('SELECT n FROM kept')).rows).toEqual([{ n: 7 }]);
  await next.end();
});

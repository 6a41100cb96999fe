import { Client } from 'pg';
import { beforeEach, expect, it } from 'vitest';
import { createTestDatabase, sharedServer, skipWithout } from '../../src/servers/index.ts';

beforeEach((context) => skipWithout('postgres', context));

it('gives each test a database that is empty and its own, on one server', async () => {
  await using one = await createTestDatabase();
  await using other = await createTestDatabase();
  await ask(one.url, 'CREATE TABLE kept (n int)');
  expect(await ask(one.url, "SELECT to_regclass('kept')::text AS found")).toEqual([{ found: 'kept' }]);
  expect(await ask(other.url, "SELECT to_regclass('kept')::text AS found")).toEqual([{ found: null }]);
  expect(new URL(one.url).port).toBe(new URL(other.url).port);
});

it('makes many at once: tests of several workers begin together', async () => {
  const databases = await Promise.all(Array.from({ length: 8 }, () => createTestDatabase()));
  expect(new Set(databases.map(({ name }) => name)).size).toBe(8);
  await Promise.all(databases.map((database) => database.drop()));
});

it('drops a database although somebody is connected', async () => {
  const database = await createTestDatabase();
  const client = new Client(database.url);
  const cut = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  await database.drop();
  expect(await cut).toBeInstanceOf(Error);
  await expect(ask(database.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
});

it('keeps what was committed safe: tests of durability would otherwise prove nothing', async () => {
  const server = await sharedServer('postgres');
  if ('missing' in server) return;
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    expect(await ask(server.url, `SHOW ${setting}`)).toEqual([{ [setting]: 'on' }]);
  }
});

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { beforeEach, expect, it } from 'vitest';
import { type Ending, ServerError, skipWithout, startPostgres } from '../../src/servers/index.ts';

beforeEach((context) => skipWithout('postgres', context));

it.each<Ending>(['orderly', 'immediately', 'killed'])(
  'comes back under its url with what was committed: %s',
  async (ending) => {
    await using server = await startPostgres();
    const client = new Client(server.url);
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await client.query('CREATE TABLE kept AS SELECT 7 AS n');
    await server.stop(ending);
    expect(await lost).toBeInstanceOf(Error);
    expect(server.pid).toBeUndefined();
    await expect(ask(server.url, 'SELECT 1')).rejects.toThrow();
    await server.start();
    expect(await ask(server.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  },
);

it('takes settings by their own names, and keeps them over a restart', async () => {
  await using server = await startPostgres({ settings: { max_connections: '17' } });
  await server.stop('immediately');
  await server.start();
  expect(await ask(server.url, 'SHOW max_connections')).toEqual([{ max_connections: '17' }]);
});

it('says what the server printed when it does not start, and leaves nothing behind', async () => {
  const failed = await startPostgres({ settings: { max_connections: 'many' } }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ServerError);
  expect(String(failed)).toContain('invalid value for parameter "max_connections"');
});

it('asks for a password: other accounts of the machine reach the port', async () => {
  await using server = await startPostgres();
  const url = new URL(server.url);
  url.password = 'guessed';
  await expect(ask(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8').catch(() => '')).not.toContain(
    new URL(server.url).password,
  );
});

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

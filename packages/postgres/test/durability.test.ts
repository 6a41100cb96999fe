import { postgres } from '@event-manager/postgres';
import { describe, expect, it } from 'vitest';
import { connect, Databases } from './support/databases.ts';
import { withPrivateServer, withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);

  describe('a server that answers before a commit is on its disk', () => {
    it.each(['off', 'local'])('is refused with synchronous_commit = %s, naming the setting', async (value) => {
      await using database = await databases.create();
      const { url, name } = database;
      await set(url, `ALTER DATABASE ${name} SET synchronous_commit = ${value}`);
      const refused = postgres({ url }).open();
      await expect(refused).rejects.toMatchObject({
        code: 'invalid_setting',
        message: expect.stringContaining('synchronous_commit'),
      });

      const relaxed = postgres({ url, durability: 'relaxed' });
      await relaxed.open();
      expect([relaxed.supports.durability, relaxed.health().facts['durability']]).toEqual(['relaxed', 'relaxed']);
      await relaxed.close();
    });
  });
});

await withPrivateServer(
  (server) => {
    it('is refused with fsync = off', async () => {
      const { url } = server;
      await expect(postgres({ url }).open()).rejects.toMatchObject({
        code: 'invalid_setting',
        message: expect.stringContaining('fsync'),
      });
    });
  },
  { settings: { fsync: 'off' } },
);

async function set(url: string, sql: string): Promise<void> {
  const client = await connect(url);
  await client.query(sql);
  await client.end();
}

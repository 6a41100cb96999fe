import { postgres } from '@event-manager/postgres';
import { movesConformance } from '@event-manager/testing/conformance';
import { Databases } from './support/databases.ts';
import { withServer } from './support/with-server.ts';

await withServer((server) => {
  const databases = new Databases(server);
  movesConformance({
    name: 'postgres',
    async place() {
      const { url, drop } = await databases.create();
      return {
        adapter: () => postgres({ url: url, maxConnections: 4 }),
        dispose: drop,
      };
    },
  });
});

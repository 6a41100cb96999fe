import { type EventQuery, memory } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { sampleEvent } from '@event-manager/testing/conformance';
import { expect, it } from 'vitest';
import { findStatement } from '../../src/log/find-statement.ts';
import { connect, Databases } from '../support/databases.ts';
import { withServer } from '../support/with-server.ts';

const EVENTS = 4_000;

const events = Array.from({ length: EVENTS }, (_, index) =>
  sampleEvent(index, {
    type: `kind-${index % 7}.measured`,
    // Some that a search for everything does not show.
    topic: index % 11 === 0 ? '$sys/kept' : 'orders/kept',
    ...(index % 13 === 0 ? {} : { userId: `user-${index % 97}`, projectId: `project-${index % 89}` }),
  }),
);

await withServer((server) => {
  const databases = new Databases(server);

  it('finds what somebody did by type in the index alone, and the same as a look at each event', async () => {
    await using database = await databases.create();
    const client = await connect(database.url);
    const [adapter, specified] = [postgres({ url: database.url, maxConnections: 4 }), memory()];
    for (const one of [adapter, specified]) {
      await one.open();
      await one.store.append(events);
    }
    // What index-only scans go by, and what the planner knows.
    await client.query('VACUUM ANALYZE events');

    const queries: EventQuery[] = [
      { userId: 'user-5', types: ['kind-3.measured'] },
      { projectId: 'project-7', types: ['kind-1.measured', 'kind-2.measured'] },
      { userId: 'user-5', types: ['kind-3.*'] },
      { userId: 'nobody', types: ['kind-3.measured'] },
      { userId: 'user-5', types: ['kind-3.measured'], topic: '#' },
      { userId: 'user-5', types: ['kind-3.measured'], topic: 'orders/#' },
      { userId: 'user-5', projectId: 'project-5', types: ['*'] },
      { userId: 'user-5' },
    ];
    for (const query of queries) {
      for (const direction of ['forward', 'backward'] as const) {
        const ask = { limit: 5, direction, budgetMs: 10_000 };
        const [found, wanted] = [await adapter.store.find(query, ask), await specified.store.find(query, ask)];
        const told = [query, direction];
        expect([...told, found.records.map(({ id }) => id)]).toEqual([...told, wanted.records.map(({ id }) => id)]);
        expect(found.complete).toBe(true);
      }
    }
    for (const query of queries.slice(0, 3)) {
      const { text, values } = findStatement('public', query, true);
      const { rows } = await client.query(`EXPLAIN ${text}`, [1, EVENTS, 5, ...values]);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('Index Only Scan');
      expect(plan).not.toContain('Bitmap Heap Scan');
    }
    await Promise.all([adapter.close(), specified.close(), client.end()]);
  });
});

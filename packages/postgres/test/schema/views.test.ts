import { EventManager } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { expect, it } from 'vitest';
import { connect, Databases } from '../support/databases.ts';
import { until } from '../support/until.ts';
import { withServer } from '../support/with-server.ts';

const CORRELATION = '0198c0de-0000-7000-8000-00000000000b';

await withServer((server) => {
  const databases = new Databases(server);

  it('shows events, subscriptions and dead letters under the names of the specification', async () => {
    await using database = await databases.create();
    const client = await connect(database.url);
    const events = new EventManager({
      adapter: postgres({ url: database.url }),
      webhookSink: () => ({
        deliver: async (batch) =>
          batch.map(() => ({ status: 'reject', error: { code: 'http_400', message: 'Never.' } })),
        close: async () => {},
      }),
    });
    await events.subscribe({
      ...{ topic: 'project.*', subscriberId: 'aas-service', endpoint: 'https://aas-service:3005/events/webhook' },
      ...{ filter: { tags: ['project'] }, options: { batchSize: 1 } },
    });
    const { id } = await events.publish({
      ...{ type: 'project.created', source: 'project-service', topic: 'project/created', priority: 'HIGH' },
      ...{ payload: { project: 1 }, metadata: { tags: ['project'] }, correlationId: CORRELATION },
    });
    await until('it is a dead letter', async () => (await events.listDeadLetters()).length === 1);

    const stored = await client.query(
      `SELECT id, type, source, topic, priority, payload, metadata, correlation_id, causation_id, created_at, processed_at,
         retry_count FROM events`,
    );
    expect(stored.rows).toMatchObject([
      {
        ...{ id, type: 'project.created', source: 'project-service', topic: 'project/created', priority: 1 },
        ...{ payload: { project: 1 }, metadata: { tags: ['project'] }, correlation_id: CORRELATION },
        ...{ causation_id: null, created_at: expect.any(Date), retry_count: 0 },
      },
    ]);
    const owed = await client.query(
      `SELECT id, topic_pattern, service_name, endpoint, filter_criteria, options, created_at, updated_at, is_active
         FROM subscriptions`,
    );
    expect(owed.rows).toMatchObject([
      {
        ...{ topic_pattern: 'project.*', service_name: 'aas-service', is_active: true, created_at: expect.any(Date) },
        ...{ endpoint: 'https://aas-service:3005/events/webhook', filter_criteria: { tags: ['project'] } },
      },
    ]);
    const dead = await client.query(
      `SELECT id, original_event_id, event_data, failure_reason, failed_at, retry_count FROM dead_letter_events`,
    );
    expect(dead.rows).toMatchObject([
      {
        ...{ original_event_id: id, event_data: { type: 'project.created' }, failure_reason: 'Never.' },
        ...{ retry_count: 0, failed_at: expect.any(Date) },
      },
    ]);
    await events.close();
    await client.end();
  });
});

import { EventManagerClient } from '@event-manager/client';
import { expect, it } from 'vitest';

it('refuses what cannot be meant without asking the service', async () => {
  await using events = new EventManagerClient('http://127.0.0.1:9');
  await expect(events.publishBatch({ type: 'a', source: 's' } as never)).rejects.toMatchObject({
    code: 'invalid_event',
  });
  // It would be a stream of everything.
  await expect(events.stream({ topic: 'order.*' } as object)).rejects.toMatchObject({
    code: 'invalid_query',
    details: { pointer: '/topic' },
  });
});

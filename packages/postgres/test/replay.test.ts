import { type DeliveryContext, type Event, EventManager, type Run } from '@event-manager/core';
import { postgres } from '@event-manager/postgres';
import { describe, expect, it } from 'vitest';
import { Databases } from './support/databases.ts';
import { until } from './support/until.ts';
import { withServer } from './support/with-server.ts';

const EVENTS = 600;
const WINDOW = 50;

await withServer((server) => {
  const databases = new Databases(server);

  describe('a replay on one database', () => {
    it('goes on where the other one left it, whoever was asked, without a gap', { timeout: 60_000 }, async () => {
      await using database = await databases.create();
      const replayed: number[] = [];
      const handler = async (event: Event, { replay }: DeliveryContext) => {
        if (!replay) return;
        replayed.push(event.payload['n'] as number);
        // A receiver that takes a moment: otherwise there is no half-way to leave it at.
        await new Promise((resolve) => setTimeout(resolve, 1));
      };
      const open = async () => {
        const events = new EventManager({ adapter: postgres({ url: database.url, maxConnections: 4 }) });
        const options = { maxConcurrency: 16, inFlightMax: WINDOW };
        const { id } = await events.subscribe({ name: 'reader', topic: '#', handler, options });
        return { events, id };
      };
      const first = await open();
      const input = Array.from({ length: EVENTS }, (_, at) => ({ type: 'a', source: 'test', payload: { n: at + 1 } }));
      await first.events.publishBatch(input);
      await first.events.settled();
      const second = await open();
      const { id } = await second.events.replay({ subscriptions: 'reader', speed: 400 });
      await until('some are done', async () => (await second.events.getRun(id)).counts.done > 50);
      const { id: cancelled } = await second.events.replay({ all: true, speed: 1 });
      expect((await second.events.cancelRun(cancelled)).state).toBe('cancelled');
      await first.events.close();
      let run: Run | undefined;
      await until('the end of the run', async () => (run = await second.events.getRun(id)).endedAtMs !== undefined);
      expect(run).toMatchObject({ state: 'done', counts: { total: EVENTS, done: EVENTS, failed: 0, skipped: 0 } });
      expect(new Set(replayed).size).toBe(EVENTS);
      // It ended in order, and the one that was cancelled made a few of its own.
      expect(replayed.length - EVENTS).toBeLessThanOrEqual(WINDOW);
      const { to } = await second.events.resetSubscription(first.id, { to: 'latest' });
      expect(to).not.toBe('');
      await second.events.close();
    });
  });
});

import { type EventManager, systemRuntime } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENT = { type: 'order.created', source: 'shop' };

/** How fast handlers are called. */
export function paceConformance(start: StartEventManager): void {
  describe('the pace of deliveries', () => {
    it('is limited to so many attempts a minute; the rest waits, and the most urgent goes first', async () => {
      const { events } = await start();
      const handled: unknown[] = [];
      const { id } = await events.subscribe({
        topic: '#',
        options: { rateLimitPerMinute: 3 },
        handler: ({ payload }) => void handled.push(payload['n']),
      });
      // In memory a publish waits for the first attempt, which would be in a minute.
      void publish(events, ['LOW', 'LOW']);
      await until('two are handled', () => handled.length === 2);
      void publish(events, ['LOW', 'LOW', 'CRITICAL', 'LOW']);
      await until('the limit is reached and four wait', async () => {
        const { status } = await events.getSubscription(id);
        return status.rateLeft === 0 && status.waiting + handled.length === 6;
      });
      expect(handled).toEqual([0, 1, 2]);
      const { status } = await events.getSubscription(id);
      expect(status).toMatchObject({ state: 'waiting', rateLeft: 0, counts: { failed: 0 } });
      expect(status.lanes!.LOW.oldestMs).toBeGreaterThanOrEqual(0);
    });

    it('is that of a preset for batches, which fill while a call is under way', async () => {
      const { events } = await start();
      const sizes: number[] = [];
      let handled = 0;
      const { definition } = await events.subscribe({
        topic: '#',
        options: { smartBatching: true },
        async batchHandler(batch) {
          sizes.push(batch.length);
          await new Promise<void>((resolve) => void systemRuntime.timers.after(20, resolve, true));
          handled += batch.length;
        },
      });
      expect(definition.options).toMatchObject({ batchSize: 20, flushIntervalMs: 100 });
      void publish(events, Array(45).fill('NORMAL'));
      await until('all are handled', () => handled === 45);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(20);
      expect(sizes.length).toBeLessThan(10);
    });

    it('can be changed, and the limit taken away', async () => {
      const { events } = await start();
      let handled = 0;
      const { id } = await events.subscribe({
        topic: '#',
        options: { rateLimit: 1, agingMs: 500 },
        handler: () => void handled++,
      });
      void publish(events, ['NORMAL', 'NORMAL', 'NORMAL']);
      await until('one is handled', () => handled === 1);
      const { options } = await events.updateSubscription(id, { options: { rateLimitPerMinute: 0 } });
      expect([options.rateLimitPerMinute, options.agingMs]).toEqual([undefined, 500]);
      await until('the others are handled', () => handled === 3);
    });
  });
}

/** One batch, so that all are there before the first is handled. */
async function publish(events: EventManager, priorities: readonly ('CRITICAL' | 'NORMAL' | 'LOW')[]): Promise<void> {
  // A test ends before what waits for its minute is handled, and with it the event manager.
  await events.publishBatch(priorities.map((priority, n) => ({ ...EVENT, priority, payload: { n } }))).catch(() => {});
}

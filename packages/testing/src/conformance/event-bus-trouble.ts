import { describe, expect, it } from 'vitest';
import { FAST_RETRIES, type StartEventBus } from './event-bus-subject.ts';
import { until } from './until.ts';

const ID = '0198c0de-0000-7000-8000-00000000000a';
const AWAY = { code: 'store_unavailable', retryable: true };

/** What becomes of a bus whose store is away for a while, or whose answers are lost: it goes on by itself. */
export function busTroubleConformance(start: StartEventBus): void {
  describe('a store in trouble', () => {
    it('is told by health, costs what is published meanwhile alone, and nothing that was acknowledged', async () => {
      const { bus, store } = (await start()).faultyBus();
      const seen: number[] = [];
      await bus.subscribe('orders', ({ payload }) => void seen.push(payload.number), { maxConcurrency: 1 });
      const publish = (number: number) => bus.publish('orders', 'order.placed', { number });
      await publish(1);
      store.fail();
      expect(await bus.isHealthy()).toBe(false);
      await expect(publish(2)).rejects.toMatchObject(AWAY);
      store.restore();
      expect(await bus.isHealthy()).toBe(true);
      await publish(3);
      await until('both arrive', () => seen.length === 2);
      await bus.settled();
      expect(seen).toEqual([1, 3]);
    });

    it('knows an event whose answer was lost, and delivers it once', async () => {
      const { bus, store } = (await start()).faultyBus();
      let calls = 0;
      await bus.subscribe('orders', () => void calls++);
      const publish = () => bus.publish({ id: ID, topic: 'orders', type: 'order.placed', payload: {} });
      store.loseAnswers({ of: 'append', times: 1 });
      await expect(publish()).rejects.toMatchObject(AWAY);
      expect(await publish()).toMatchObject({ id: ID, duplicate: true });
      await until('it arrives', () => calls === 1);
      await bus.settled();
      expect(calls).toBe(1);
    });

    it('makes one dead letter of each delivery whatever answers to commits are lost', async () => {
      const { bus, store } = (await start()).faultyBus();
      const refuse = () => ({ success: false, error: 'no' });
      const id = await bus.subscribe('orders', refuse, { maxRetries: 1, retryPolicy: FAST_RETRIES });
      store.loseAnswers({ of: 'commit', times: 4 });
      const events = Array.from({ length: 5 }, (_, number) => bus.publish('orders', 'order.placed', { number }));
      const published = (await Promise.all(events)).map((result) => (result as { id: string }).id);
      const letters = () => bus.eventManager.listDeadLetters(id);
      await until('all are given up', async () => (await letters()).length >= published.length);
      await bus.settled();
      expect((await letters()).map(({ eventId }) => eventId).sort()).toEqual(published.sort());
    });
  });
}

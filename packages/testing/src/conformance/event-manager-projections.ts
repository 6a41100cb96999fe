import type { Event, EventManager, ProjectionDefinition } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';

const EVENT = { type: 'order.created', source: 'shop' };
const numberOf = (event: Event) => event.payload['n'] as number;
const LISTS = {
  name: 'lists',
  initial: [],
  apply: (list, event) => [...list, numberOf(event)],
} satisfies ProjectionDefinition<number[]>;

const publish = (events: EventManager, ...numbers: readonly number[]) =>
  events.publishBatch(numbers.map((n) => ({ ...EVENT, topic: `orders/${n % 2}`, payload: { n } })));

/** States that events are folded into. A face without a store says so. */
export function projectionsConformance(start: StartEventManager): void {
  describe('projections', () => {
    it('are the fold of the log, also after a restart', async () => {
      const { events, reopen } = await start();
      await publish(events, 1, 2, 3);
      const all = await opened(events, { ...LISTS, snapshotEvery: 2 });
      if (all === undefined) return;
      const byTopic = await events.project({ ...LISTS, name: 'by-topic', key: ({ topic }) => topic });
      await Promise.all([all.caughtUp(), byTopic.caughtUp()]);
      expect([all.state, await byTopic.keys()]).toEqual([
        [1, 2, 3],
        ['orders/0', 'orders/1'],
      ]);
      await publish(events, 4, 5);
      await all.caughtUp();

      expect(await events.listProjections()).toMatchObject([
        { name: 'by-topic', version: 1, topic: '#', isKeyed: true, folded: 3, states: 2, gaps: [] },
        { name: 'lists', isKeyed: false, position: all.position, folded: 5, states: 1 },
      ]);
      expect(await events.getProjectionState('lists')).toEqual({ state: [1, 2, 3, 4, 5], position: all.position });
      expect((await events.getProjectionState('by-topic', 'orders/1')).state).toEqual([1, 3]);
      expect((await events.getProjectionState('by-topic', 'orders/9')).state).toBeNull();
      expect(await events.listProjectionKeys('by-topic')).toEqual(['orders/0', 'orders/1']);
      expect((await events.getProjectionState('lists', 'a')).state).toBeNull();
      expect((await events.getProjectionState('by-topic')).state).toBeNull();
      await expect(events.removeProjection('lists')).rejects.toMatchObject({ code: 'projection_conflict' });

      const later = await reopen();
      await publish(later, 6);
      const again = await later.project({ ...LISTS, snapshotEvery: 2 });
      const againByTopic = await later.project({ ...LISTS, name: 'by-topic', key: ({ topic }) => topic });
      await Promise.all([again.caughtUp(), againByTopic.caughtUp()]);
      expect(await again.get()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await againByTopic.get('orders/0')).toEqual([2, 4, 6]);
      expect(await againByTopic.get('orders/1')).toEqual([1, 3, 5]);
      expect(await againByTopic.get('orders/2')).toBeUndefined();
      await again.rebuild();
      await again.caughtUp();
      expect(again.state).toEqual([1, 2, 3, 4, 5, 6]);
      await againByTopic.close();
      await later.removeProjection('by-topic');
      expect((await later.listProjections()).map(({ name }) => name)).toEqual(['lists']);
    });
  });
  looked(start);
}

function looked(start: StartEventManager): void {
  describe('projections, looked at', () => {
    it('are not found under a name that none has', async () => {
      const { events } = await start();
      expect(await events.listProjections()).toEqual([]);
      const missing = { code: 'projection_not_found' };
      for (const name of ['none', 'a/b', ' ']) {
        await expect(events.getProjection(name)).rejects.toMatchObject(missing);
        await expect(events.getProjectionState(name)).rejects.toMatchObject(missing);
        await expect(events.listProjectionKeys(name)).rejects.toMatchObject(missing);
        await expect(events.removeProjection(name)).rejects.toMatchObject(missing);
      }
    });

    it('keep states of any size up to the limit', async () => {
      const { events, reopen } = await start();
      await publish(events, 1, 2, 3, 4);
      const definition = {
        name: 'large',
        key: ({ topic }: Event) => topic,
        initial: '',
        apply: (state: string, event: Event) => `${state}${String(numberOf(event)).repeat(60_000)}`,
      };
      const large = await opened<string>(events, definition);
      if (large === undefined) return;
      await large.caughtUp();
      const later = await reopen();
      expect((await later.getProjectionState('large', 'orders/1')).state).toBe('1'.repeat(60_000) + '3'.repeat(60_000));
      const again = await later.project(definition);
      await publish(later, 6);
      await again.caughtUp();
      const expected = ['2', '4', '6'].map((digit) => digit.repeat(60_000)).join('');
      expect(await again.get('orders/0')).toBe(expected);
    });

    it('are folded once, without being kept, up to a point in time', async () => {
      const { events } = await start();
      await publish(events, ...Array.from({ length: 1_100 }, (_, n) => n));
      const { initial, apply } = LISTS;
      expect(await events.foldEvents<number[]>({ initial, apply })).toHaveLength(1_100);
      const odd = await events.foldEvents<number[]>({ topic: 'orders.1', initial, apply });
      expect([odd.length, odd[0], odd.at(-1)]).toEqual([550, 1, 1_099]);
      expect(await events.foldEvents<number[]>({ until: new Date(0), initial, apply })).toEqual([]);
      const filter = { payload: { n: { numeric: ['>=', 1_000] } } } as const;
      const last = await events.foldEvents<number[]>({ topic: 'orders.*', filter, initial, apply });
      expect(last).toEqual(Array.from({ length: 100 }, (_, at) => 1_000 + at));
      const many = await events.foldEvents<number[]>({
        filter: { payload: { n: { numeric: ['>', 4] } } },
        initial,
        apply,
      });
      expect([many.length, many[0], many.at(-1)]).toEqual([1_095, 5, 1_099]);
      const unread = events.foldEvents<number[]>({ filter: { colour: 'red' } as object, initial, apply });
      await expect(unread).rejects.toMatchObject({ code: 'invalid_filter' });
      const late = events.foldEvents<number[]>({ initial, apply: (async () => []) as never });
      await expect(late).rejects.toThrow(/apply returned a promise/);
      const wrong = events.foldEvents<number[]>({ topic: 'a..b', initial, apply });
      await expect(wrong).rejects.toMatchObject({ code: 'invalid_pattern' });
    });
  });
}

async function opened<State = number[]>(events: EventManager, definition: ProjectionDefinition<State>) {
  try {
    return await events.project(definition);
  } catch (error) {
    expect(error).toMatchObject({ code: 'not_supported' });
    return undefined;
  }
}

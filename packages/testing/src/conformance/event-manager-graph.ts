import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';

const NOBODY = '0198c0de-0000-7000-8000-00000000000a';

/** What an event followed from and what followed from it. */
export function graphConformance(start: StartEventManager): void {
  describe('the graph of an event', () => {
    it('has its causes, its effects and its flow, and names causes that are not kept', async () => {
      const { events } = await start();
      const publish = async (type: string, causationId?: string, correlationId?: string) =>
        (await events.publish({ type, source: 'shop', causationId, correlationId })).id;
      const ordered = await publish('order.created', NOBODY);
      const paid = await publish('order.paid', ordered, 'flow');
      const sent = await publish('parcel.sent', paid);
      const told = await publish('customer.told', undefined, 'flow');
      await publish('order.created');

      const graph = await events.getEventGraph(paid);
      expect(graph).toMatchObject({ id: paid, complete: true, cut: [] });
      expect(graph.missing).toEqual([{ id: NOBODY, namedBy: [ordered] }]);
      expect(graph.events.map(({ id, relation, distance }) => [id, relation, distance])).toEqual([
        [ordered, 'cause', 1],
        [paid, 'asked', 0],
        [sent, 'effect', 1],
        [told, 'flow', undefined],
      ]);
      const [, asked] = graph.events;
      const { timestamp } = await events.getEvent(paid);
      expect(asked).toEqual({
        id: paid,
        type: 'order.paid',
        source: 'shop',
        topic: 'order.paid',
        priority: 'NORMAL',
        timestamp: timestamp.toISOString(),
        recordedAt: asked!.recordedAt,
        causationId: ordered,
        correlationId: 'flow',
        relation: 'asked',
        distance: 0,
      });
      expect(Number.isFinite(Date.parse(asked!.recordedAt))).toBe(true);
      expect((await events.getEvents({ causationId: [ordered, paid] })).map(({ id }) => id)).toEqual([paid, sent]);
    });

    it('stays within its bounds and says where it was cut', async () => {
      const { events } = await start();
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) {
        ids.push((await events.publish({ type: 'a', source: 's', causationId: ids.at(-1) })).id);
      }
      const near = await events.getEventGraph(ids[2]!, { depth: 1 });
      expect(near.events.map(({ id }) => id)).toEqual(ids.slice(1, 4));
      expect(near.complete).toBe(false);
      expect(near.cut).toEqual([
        { direction: 'causes', reason: 'depth', at: [ids[1]] },
        { direction: 'effects', reason: 'depth', at: [ids[3]] },
      ]);
      const few = await events.getEventGraph(ids[0]!, { eventsMax: 2 });
      expect(few).toMatchObject({ complete: false, cut: [{ direction: 'effects', reason: 'events', at: [ids[1]] }] });
    });

    it.each([
      ['no id', {}, 'event_not_found'],
      [NOBODY, {}, 'event_not_found'],
      [NOBODY, { depth: -1 }, 'invalid_query'],
      [NOBODY, { depth: 101 }, 'invalid_query'],
      [NOBODY, { eventsMax: 0 }, 'invalid_query'],
      [NOBODY, { eventsMax: 1.5 }, 'invalid_query'],
    ])('refuses %s with %j', async (id, request, code) => {
      const { events } = await start();
      await expect(events.getEventGraph(id, request)).rejects.toMatchObject({ code });
    });
  });
}

import type { EventIn } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventManager } from './event-manager-subject.ts';
import { until } from './until.ts';

const EVENTS: Readonly<Record<string, Partial<EventIn>>> = {
  plain: {},
  urgent: { priority: 'CRITICAL', source: 'bank' },
  large: { payload: { total: 1_000, country: 'DE' } },
  small: { payload: { total: 5, country: 'fr' }, metadata: { tags: ['eu', 'vip-1'] } },
  network: { payload: { ip: '10.1.2.3' }, metadata: { userId: 'u1' } },
  heartbeat: { type: 'system.heartbeat' },
};

const CASES: readonly (readonly [object, readonly string[]])[] = [
  [{ payload: { total: { numeric: ['>', 1, '<=', 1_000] } } }, ['large', 'small']],
  [{ payload: { country: [{ 'equals-ignore-case': 'FR' }, { prefix: 'D' }] } }, ['large', 'small']],
  [{ payload: { total: { exists: false } }, sources: [{ anything_but: 'bank' }] }, ['plain', 'network', 'heartbeat']],
  [{ payload: { ip: { cidr: '10.0.0.0/8' } } }, ['network']],
  [{ tags: [{ wildcard: 'vip-*' }] }, ['small']],
  [{ $or: [{ minimum_priority: 'HIGH' }, { types: [{ suffix: '.heartbeat' }] }] }, ['urgent', 'heartbeat']],
  [{ include_user_context: true, criticalAlways: true }, ['urgent', 'network']],
  [{ exclude_system_events: true, topics: ['order.*'] }, ['plain', 'urgent', 'large', 'small', 'network']],
];

/** One evaluator decides everywhere: what passes embedded passes behind a service, owed or streamed. */
export function filtersConformance(start: StartEventManager): void {
  describe('filters', () => {
    it.each(CASES)('let the same events pass in subscriptions and streams: %j', async (filter, expected) => {
      const { events } = await start();
      const owed: string[] = [];
      await events.subscribe({
        topic: '#',
        filter,
        handler: ({ metadata }) => void owed.push(String(metadata['name'])),
      });
      for (const [name, event] of Object.entries(EVENTS)) {
        const metadata = { ...event.metadata, name };
        await events.publish({ type: 'order.created', source: 'shop', ...event, metadata });
      }
      await until('what should pass arrives', () => owed.length >= expected.length);
      const stream = await events.stream({ filter, from: 'earliest' });
      const shown: string[] = [];
      while (shown.length < expected.length) {
        for (const frame of await stream.next()) {
          if (frame.kind === 'event') shown.push(String(frame.event.metadata['name']));
        }
      }
      stream.close();
      expect(shown).toEqual(expected);
      expect(owed.toSorted()).toEqual(expected.toSorted());
    });
  });
}

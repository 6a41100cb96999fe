import type { EventBus, Supports } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import type { StartEventBus } from './event-bus-subject.ts';

const CORRELATION = 'exec-456';

async function publishFlow(bus: EventBus): Promise<void> {
  const metadata = { correlationId: CORRELATION };
  await bus.publish('issue.events', 'issue.created', { issueId: '123' }, { metadata });
  await bus.publish('issue.events', 'issue.created', { issueId: '999' });
  await bus.publish('execution.events', 'execution.started', { executionId: '456' }, { metadata });
}

/** Searching is what an adapter may lack. */
export function busHistoryConformance(start: StartEventBus, { query }: Supports): void {
  describe.runIf(query !== 'none')('looking back', () => {
    it('finds the events of one flow, oldest first, as handlers saw them', async () => {
      const bus = (await start()).bus();
      await publishFlow(bus);
      const { queryEventsByCorrelationId } = bus;
      const found = await queryEventsByCorrelationId(CORRELATION);
      expect(found.map(({ type, data }) => [type, data])).toEqual([
        ['issue.created', { issueId: '123' }],
        ['execution.started', { executionId: '456' }],
      ]);
      for (const { id, metadata } of found) {
        expect(metadata).toMatchObject({ eventId: id, correlationId: CORRELATION });
      }
      expect(await queryEventsByCorrelationId('nobody')).toEqual([]);
    });

    it('finds events by topic and type, and after a restart', async () => {
      const place = await start();
      const bus = place.bus();
      await publishFlow(bus);
      const again = await place.restart(bus);
      const topics = async (query: object) => (await again.eventManager.getEvents(query)).map(({ topic }) => topic);
      expect(await topics({ topic: 'issue.*' })).toEqual(['issue.events', 'issue.events']);
      expect(await topics({ types: ['execution.started'] })).toEqual(['execution.events']);
      expect(await again.queryEventsByCorrelationId(CORRELATION)).toHaveLength(2);
    });
  });
}

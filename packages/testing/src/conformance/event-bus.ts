import { describe } from 'vitest';
import { busFailureConformance } from './event-bus-failure.ts';
import { busGroupsConformance } from './event-bus-groups.ts';
import { busHistoryConformance } from './event-bus-history.ts';
import { busPublishConformance } from './event-bus-publish.ts';
import { busStandingConformance } from './event-bus-standing.ts';
import { type EventBusHarness, startEventBus } from './event-bus-subject.ts';
import { busSubscribeConformance } from './event-bus-subscribe.ts';
import { busTroubleConformance } from './event-bus-trouble.ts';

/** What `EventBus` promises on every adapter: which one it is, is configuration. Call it in a test file of each adapter. */
export function eventBusConformance(harness: EventBusHarness): void {
  describe(`the EventBus: on ${harness.name}`, () => {
    const start = startEventBus(harness);
    busPublishConformance(start);
    busSubscribeConformance(start);
    busFailureConformance(start);
    busGroupsConformance(start, harness.supports);
    busHistoryConformance(start, harness.supports);
    busStandingConformance(start);
    busTroubleConformance(start);
  });
}

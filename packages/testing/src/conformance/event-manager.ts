import { describe } from 'vitest';
import { contextsConformance } from './event-manager-contexts.ts';
import { failureConformance } from './event-manager-failure.ts';
import { filtersConformance } from './event-manager-filters.ts';
import { graphConformance } from './event-manager-graph.ts';
import { groupsConformance } from './event-manager-groups.ts';
import { handlingConformance } from './event-manager-handling.ts';
import { idsConformance } from './event-manager-ids.ts';
import { orderConformance } from './event-manager-order.ts';
import { paceConformance } from './event-manager-pace.ts';
import { projectionsConformance } from './event-manager-projections.ts';
import { publishConformance } from './event-manager-publish.ts';
import { pullConformance } from './event-manager-pull.ts';
import { readConformance } from './event-manager-read.ts';
import { realtimeConformance } from './event-manager-realtime.ts';
import { redriveConformance } from './event-manager-redrive.ts';
import { replayConformance } from './event-manager-replay.ts';
import { scheduleConformance } from './event-manager-schedule.ts';
import { type EventManagerHarness, startEventManager } from './event-manager-subject.ts';
import { subscribeConformance } from './event-manager-subscribe.ts';
import { topicsConformance } from './event-manager-topics.ts';
import { whyConformance } from './event-manager-why.ts';

/** What the interface `EventManager` promises, embedded and over the network alike. Call it in a test file of each face. */
export function eventManagerConformance(harness: EventManagerHarness): void {
  describe(`the EventManager interface: ${harness.name}`, () => {
    const start = startEventManager(harness);
    publishConformance(start);
    subscribeConformance(start);
    handlingConformance(start);
    groupsConformance(start);
    pullConformance(start);
    failureConformance(start);
    paceConformance(start);
    orderConformance(start);
    readConformance(start);
    graphConformance(start);
    projectionsConformance(start);
    realtimeConformance(start);
    scheduleConformance(start);
    topicsConformance(start);
    filtersConformance(start);
    contextsConformance(start);
    whyConformance(start);
    replayConformance(start);
    redriveConformance(start);
    idsConformance(start);
  });
}

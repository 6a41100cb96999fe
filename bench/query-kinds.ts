import type { Event, EventManager, EventsPage } from '@event-manager/core';

const PAGE = 100;
/** A filter on the payload that no event passes: each is looked at. */
const NOBODY = { payload: { index: -1 } };
/** A time query asks for one hundredth of the time in which the log was written. */
const SPAN_SHARE = 0.01;

/** An event of the log that a query is about. */
export interface Kept {
  readonly event: Event;
  readonly recordedAtMs: number;
}

/** What came back: whether the search was ended by its time. */
interface Found {
  readonly complete: boolean;
}

type Ask = (bus: EventManager, sample: Kept, spanMs: number) => Promise<Found>;

const page = (bus: EventManager, query: object, direction: 'forward' | 'backward' = 'forward'): Promise<EventsPage> =>
  bus.getEvents(query, { limit: PAGE, direction });

/** Asked for by an index: a page of each may take 50 ms. */
export const INDEXED: Readonly<Record<string, Ask>> = {
  newest: (bus) => page(bus, {}, 'backward'),
  topic: (bus, { event }) => page(bus, { topic: event.topic }, 'backward'),
  topicPattern: (bus, { event }) => page(bus, { topic: event.topic.replace(/measured$/, '+') }),
  typeAndTime: (bus, { event, recordedAtMs }, spanMs) =>
    page(bus, { types: [event.type], from: recordedAtMs, to: recordedAtMs + spanMs }),
  time: (bus, { recordedAtMs }, spanMs) => page(bus, { from: recordedAtMs, to: recordedAtMs + spanMs }),
  correlationId: (bus, { event }) => page(bus, { correlationId: event.correlationId }),
  causationId: (bus, { event }) => page(bus, { causationId: `cause-of-${event.correlationId}` }),
  userId: (bus, { event }) => page(bus, { userId: event.metadata.userId }),
  userAndType: (bus, { event }) => page(bus, { userId: event.metadata.userId, types: [event.type] }),
  absentTopics: (bus) => page(bus, { topic: 'nothing/+' }),
  nothing: (bus, { event }) => page(bus, { correlationId: `no-${event.id}` }),
  id: async (bus, { event }) => {
    await bus.getEvent(event.id);
    return { complete: true };
  },
  preview: (bus, { event }) => bus.previewFilter({ topic: event.topic, filter: NOBODY, limit: PAGE }),
};

/** Narrowed by no index, or by nothing that is rare: ended by their budget, and they say so. */
export const BOUNDED: Readonly<Record<string, Ask>> = {
  rareSource: (bus) => page(bus, { sources: ['bench', 'nobody'], priorities: ['CRITICAL'] }),
  flowOfOthers: (bus, { event }) => page(bus, { correlationId: event.correlationId, types: ['*.nothing'] }),
  previewAll: (bus) => bus.previewFilter({ filter: NOBODY, limit: 100_000 }),
};

export function spanOf(samples: readonly Kept[]): number {
  return Math.ceil((samples.at(-1)!.recordedAtMs - samples[0]!.recordedAtMs) * SPAN_SHARE) + 1;
}

import { EventManagerError } from '../../errors/event-manager-error.ts';
import { decodeEvent } from '../../event/decode-event.ts';
import type { Event } from '../../event/event.ts';
import { readTimeMs } from '../../ingest/read-time.ts';
import type { BusEventStore } from './bus-event-store.ts';
import type { Upcasters } from './upcasters.ts';

const PAGE = 500;

/** Which events, as programs say it. Times are those of keeping: a `Date`, RFC 3339 text or milliseconds since 1970. */
export interface EventSelection {
  readonly from?: Date | string | number | undefined;
  readonly to?: Date | string | number | undefined;
  /** Topic pattern. */
  readonly topic?: string | undefined;
  /** Patterns over the type. */
  readonly types?: readonly string[] | undefined;
  /** Only behind this position. */
  readonly after?: number | undefined;
}

/** An event out of a store, in the current version of its type. */
export interface ReadEvent {
  readonly event: Event;
  readonly position: number;
  readonly recordedAtMs: number;
}

/** A page of events; `missing` counts those before it that the store had once and has no more. */
export interface ReadEvents {
  readonly events: readonly ReadEvent[];
  readonly missing: number;
}

/** Reads what a store has now, page by page, in its order. Throws `upcast_failed`, `corrupt_record`, `invalid_pattern`, `invalid_query`. */
export async function* readEvents(
  store: BusEventStore,
  selection: EventSelection,
  upcasters?: Upcasters,
): AsyncGenerator<ReadEvents, void> {
  const { from, to, topic, types } = selection;
  const times = { fromMs: momentOf(from, '/from'), toMs: momentOf(to, '/to') };
  let after = positionOf(selection.after ?? 0);
  // Whoever is called by a read may publish: it would run after its own events, and a fold after those of a busy bus.
  let until = Number.POSITIVE_INFINITY;
  for (let isFirst = true; ; isFirst = false) {
    const page = await store.read({ ...times, topic, types, after, limit: PAGE });
    const { records, next, first, missing = Math.max(0, first - 1 - after) } = page;
    if (isFirst) until = page.head ?? until;
    const events = records
      .filter(({ position }) => position <= until)
      .map(({ position, recordedAtMs, body }) => {
        const event = atPosition(position, () => (upcasters ? upcasters.upcast(decodeEvent(body)) : decodeEvent(body)));
        return { event, position, recordedAtMs };
      });
    // Also where nothing was found, so that whoever reads can end a search that takes long.
    yield { events, missing };
    if (next === undefined || next >= until) return;
    after = next;
  }
}

function positionOf(after: number): number {
  if (Number.isSafeInteger(after) && after >= 0) return after;
  throw new EventManagerError('invalid_query', 'A position is a whole number from 0 on.', { pointer: '/after' });
}

/** Whoever reads a million events is told which one it was. */
function atPosition<Answer>(position: number, read: () => Answer): Answer {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EventManagerError)) throw error;
    throw new EventManagerError(error.code, error.message, { ...error.details, position }, error.cause);
  }
}

function momentOf(moment: Date | string | number | undefined, pointer: string): number | undefined {
  return moment === undefined ? undefined : readTimeMs(moment, pointer, 'invalid_query');
}

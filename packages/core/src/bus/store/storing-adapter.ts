/**
 * The adapter of a bus with a store beside it: what the engine appends to its log is kept by the store first, and only then by the
 * log. So whatever a publisher had acknowledged is in the store. The other way round does not hold: an event that the store took
 * is not acknowledged when the process dies or the log refuses it before the second step. Its publisher repeats it under its id,
 * and the store knows that.
 *
 * Groups reach the log in the order in which the engine handed them in, whichever the store is done with first. What the store
 * refuses is refused altogether. Events of the bus about itself are kept by the log alone.
 */
import type { EventBusAdapter } from '../../contracts/adapter.ts';
import type { Appendable, Appended, EventStore } from '../../contracts/event-store.ts';
import { isHidden } from '../../topic/pattern.ts';
import type { BusEventStore, StoreOutcome } from './bus-event-store.ts';

/** Which store a bus has now. */
export interface StoreCell {
  current: BusEventStore | undefined;
}

const NOWHERE = { partition: 0, position: 0 };

export function storingAdapter(adapter: EventBusAdapter, cell: StoreCell): EventBusAdapter {
  let store: EventStore | undefined;
  return {
    name: adapter.name,
    get supports() {
      return adapter.supports;
    },
    get store() {
      // Some adapters have none before they are open, and another one when they are opened again.
      store ??= storingStore(() => adapter.store, cell);
      return store;
    },
    get state() {
      return adapter.state;
    },
    get exchange() {
      return adapter.exchange!;
    },
    ...(adapter.retention ? { retention: adapter.retention } : {}),
    open: () => adapter.open(),
    close: () => adapter.close(),
    health: () => adapter.health(),
    watch: (onHint) => adapter.watch(onHint),
    ...(adapter.storeId ? { storeId: () => adapter.storeId!() } : {}),
    ...(adapter.announceBy ? { announceBy: (announcer) => adapter.announceBy!(announcer) } : {}),
  };
}

function storingStore(log: () => EventStore, cell: StoreCell): EventStore {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    append: (events) => {
      const store = cell.current;
      if (!store) return log().append(events);
      const kept = keep(store, events);
      const begun = turn.then(() => kept);
      turn = begun.catch(() => {});
      return begun.then((outcomes) => appendRest(log(), events, outcomes));
    },
    read: (...given) => log().read(...given),
    get: (...given) => log().get(...given),
    find: (...given) => log().find(...given),
    bounds: () => log().bounds(),
    trim: (...given) => log().trim(...given),
  };
}

/** What the store says of each event; of those that are not for it that they were stored. */
async function keep(store: BusEventStore, events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
  const meant = events.filter(({ topic }) => !isHidden(topic));
  if (meant.length === 0) return events.map(() => 'stored');
  const outcomes = await store.append(meant);
  if (meant.length === events.length) return outcomes;
  let at = 0;
  return events.map(({ topic }) => (isHidden(topic) ? 'stored' : outcomes[at++]!));
}

/** An id that the store has with another content must not get a second one in the log. */
async function appendRest(
  log: EventStore,
  events: readonly Appendable[],
  outcomes: readonly StoreOutcome[],
): Promise<readonly Appended[]> {
  if (!outcomes.includes('conflict')) return log.append(events);
  const appended = await log.append(events.filter((_, at) => outcomes[at] !== 'conflict'));
  let at = 0;
  return outcomes.map((outcome) => (outcome === 'conflict' ? { status: 'conflict', place: NOWHERE } : appended[at++]!));
}

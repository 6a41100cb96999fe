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
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { wordsOf } from '../../errors/words-of.ts';
import { isHidden } from '../../topic/pattern.ts';
import type { BusEventStore, StoreOutcome } from './bus-event-store.ts';

/** Which store a bus has now. */
export interface StoreCell {
  current: BusEventStore | undefined;
}

const NOWHERE = { partition: 0, position: 0 };
const OUTCOMES: ReadonlySet<unknown> = new Set<StoreOutcome>(['stored', 'duplicate', 'conflict']);

export function storingAdapter(adapter: EventBusAdapter, cell: StoreCell): EventBusAdapter {
  // Some adapters have no log before they are open, and another one when they are opened again.
  const store = storingStore(() => adapter.store, cell);
  // Whatever else adapters have or will have is theirs: what this does not know of, it passes on.
  return new Proxy({} as EventBusAdapter, {
    has: (_, name) => name in adapter,
    get(_, name) {
      if (name === 'store') return store;
      const value: unknown = Reflect.get(adapter, name, adapter);
      return typeof value === 'function' ? value.bind(adapter) : value;
    },
  });
}

function storingStore(log: () => EventStore, cell: StoreCell): EventStore {
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const append: EventStore['append'] = (events) => {
    // One that was set a moment ago may still be at work: nothing overtakes that.
    if (!cell.current && waiting === 0) return log().append(events);
    const kept = keep(cell.current, events);
    const begun = turn.then(() => kept);
    waiting++;
    const next = () => void waiting--;
    turn = begun.then(next, next);
    // What is refused while another one has its turn is heard when that is over.
    kept.catch(() => {});
    return begun.then((outcomes) => appendRest(log(), events, outcomes));
  };
  return {
    append,
    read: (...given) => log().read(...given),
    get: (...given) => log().get(...given),
    find: (...given) => log().find(...given),
    bounds: () => log().bounds(),
    trim: (...given) => log().trim(...given),
  };
}

/** What the store says of each event; of those that are not for it that they were stored. */
async function keep(store: BusEventStore | undefined, events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
  const meant = events.filter(({ topic }) => !isHidden(topic));
  if (!store || meant.length === 0) return events.map(() => 'stored');
  const outcomes = await appended(store, meant);
  if (meant.length === events.length) return outcomes;
  let at = 0;
  return events.map(({ topic }) => (isHidden(topic) ? 'stored' : outcomes[at++]!));
}

/** What a store of somebody else throws is told with a code: the engine takes anything else for a fault of its own, and stops. */
async function appended(store: BusEventStore, events: readonly Appendable[]): Promise<readonly StoreOutcome[]> {
  let outcomes: readonly StoreOutcome[];
  try {
    outcomes = await store.append(events);
  } catch (error) {
    if (error instanceof EventManagerError) throw error;
    const words = `The event store ${store.name} failed: ${wordsOf(error)}`;
    throw new EventManagerError('store_unavailable', words, { store: store.name }, error);
  }
  if (Array.isArray(outcomes) && outcomes.length === events.length && outcomes.every((one) => OUTCOMES.has(one)))
    return outcomes;
  const words = `The event store ${store.name} did not answer one outcome for each event.`;
  throw new EventManagerError('store_failed', words, { store: store.name });
}

/** An id that the store has with another content must not get a second one in the log. */
async function appendRest(
  log: EventStore,
  events: readonly Appendable[],
  outcomes: readonly StoreOutcome[],
): Promise<readonly Appended[]> {
  if (!outcomes.includes('conflict')) return log.append(events);
  const rest = events.filter((_, at) => outcomes[at] !== 'conflict');
  const results = rest.length === 0 ? [] : await log.append(rest);
  let at = 0;
  return outcomes.map((outcome) => (outcome === 'conflict' ? { status: 'conflict', place: NOWHERE } : results[at++]!));
}

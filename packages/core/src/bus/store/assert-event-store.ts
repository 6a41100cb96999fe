import type { BusEventStore } from './bus-event-store.ts';

const FUNCTIONS = [
  'open',
  'append',
  'read',
  'loadSnapshot',
  'saveSnapshot',
  'close',
] as const satisfies (keyof BusEventStore)[];

/** Throws a TypeError for what is no event store, which the first event or replay would notice otherwise. */
export function assertEventStore(given: unknown, what: string): asserts given is BusEventStore {
  const missing = FUNCTIONS.filter((name) => typeof (given as Partial<BusEventStore> | null)?.[name] !== 'function');
  if (missing.length === 0) return;
  throw new TypeError(
    `${what} takes an event store, such as an InMemoryEventStore or the bus.eventStore to read from; this has no ${missing.join(', ')}.`,
  );
}

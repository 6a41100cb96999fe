import type { DeadLetter, EventBusAdapter, Position, Recorded } from '@event-manager/core';
import type { HistoryEntry } from '@event-manager/testing';
import { keptResets } from './kept-resets.ts';
import type { KeptReset, LivesFacts } from './lives.ts';

/** Where events stand, and how often and to where each subscription was reset, by what is kept at the end of a run. */
export async function livesIn(
  adapter: EventBusAdapter,
  known: {
    readonly history: readonly HistoryEntry[];
    /** Of subscriptions, by their ids. */
    readonly names: ReadonlyMap<string, string>;
    readonly log: readonly Recorded[];
    readonly deadLetters: readonly DeadLetter[];
  },
): Promise<LivesFacts> {
  const { history, names, log, deadLetters } = known;
  const resets = new Map<string, readonly KeptReset[]>();
  for (const [id, name] of names) resets.set(name, await keptResets(adapter, id));
  const told = history.flatMap((entry): [string, Position][] =>
    entry.kind === 'ok' && entry.position !== undefined ? [[entry.id, entry.position]] : [],
  );
  const kept = [...log, ...deadLetters.map(({ eventId, place }) => ({ id: eventId, place }))];
  const stored = kept.map(({ id, place }): [string, Position] => [id, place.position]);
  return { resets: (name) => resets.get(name) ?? [], positions: new Map([...told, ...stored]) };
}

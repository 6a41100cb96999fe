import type { Position, ReadResult, Recorded } from '../contracts/event-store.ts';
import type { UnusedPositions } from '../contracts/movable-adapter.ts';

export type Stretch = { readonly events: readonly Recorded[] } | { readonly unused: UnusedPositions };

/**
 * What a page of a log holds behind `after`, in order: events, and between them positions that nothing is known of. A store tells
 * of every position that was lost, so those were never given to an event.
 */
export function* stretches(after: Position, { records, scannedTo, lost }: ReadResult): Generator<Stretch> {
  let events: Recorded[] = [];
  let from = after + 1;
  for (const record of [...records, undefined]) {
    const position = record?.place.position ?? scannedTo + 1;
    for (const unused of unusedBetween(from, position - 1, lost)) {
      if (events.length > 0) yield { events };
      events = [];
      yield { unused };
    }
    if (record !== undefined) events.push(record);
    from = position + 1;
  }
  if (events.length > 0) yield { events };
}

function unusedBetween(from: Position, through: Position, lost: ReadResult['lost']): UnusedPositions[] {
  const parts =
    lost === undefined || lost.through < from || lost.from > through
      ? [{ from, through }]
      : [
          { from, through: lost.from - 1 },
          { from: lost.through + 1, through },
        ];
  return parts.filter((part) => part.from <= part.through);
}

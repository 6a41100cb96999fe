import type { Appendable } from '@event-manager/core';

/** Of one script: everybody else waits for some milliseconds. */
export const PART_MAX = { countMax: 1_024, bytesMax: 4 << 20 };

export interface Part<Kind extends Appendable> {
  readonly events: readonly Kind[];
  readonly bytes: number;
}

/** What one script may take each, in order: at least one event; none of a call without events. */
export function* partsOf<Kind extends Appendable>(all: readonly Kind[]): Generator<Part<Kind>> {
  let events: Kind[] = [];
  let bytes = 0;
  for (const event of all) {
    const isFull = events.length === PART_MAX.countMax || bytes + event.body.length > PART_MAX.bytesMax;
    if (isFull && events.length > 0) {
      yield { events, bytes };
      events = [];
      bytes = 0;
    }
    events.push(event);
    bytes += event.body.length;
  }
  if (events.length > 0) yield { events, bytes };
}

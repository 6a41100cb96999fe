import type { Position } from '../contracts/event-store.ts';
import type { StateKind } from '../contracts/state-store.ts';
import type { JsonValue } from '../json.ts';

/**
 * The highest position that a record of the state proves to have been in the log: it is settled, owed or a dead letter. 0
 * when it names none. An adapter whose log turns out shorter than that has lost acknowledged events and must not give
 * their positions to others: a dead letter has its position in its key, and the next one there would take its place.
 * What was only reserved proves nothing: that runs ahead of the log.
 */
export function positionNamedBy(kind: StateKind, key: string, value: () => JsonValue): Position {
  switch (kind) {
    case 'progress':
      return settledThrough(value());
    case 'blocked':
      return throughOf(value());
    case 'owed':
    case 'attempt':
    case 'dead-letter':
      return Number(KEY.exec(key)?.[1] ?? 0);
    default:
      return 0;
  }
}

/** Subscription, partition, position, and of a dead letter the round. */
const KEY = /^[0-9a-f-]{36}\/\d{1,9}\/(\d{16})(?:\/\d{1,9})?$/;

function throughOf(record: JsonValue): Position {
  const { through } = (record ?? {}) as { through?: unknown };
  return Number.isSafeInteger(through) ? (through as number) : 0;
}

/** A value of another shape proves nothing: not everybody who uses a state store is the engine. */
function settledThrough(progress: JsonValue): Position {
  const { lanes } = (progress ?? {}) as { lanes?: unknown };
  let highest = 0;
  for (const lane of Array.isArray(lanes) ? (lanes as readonly unknown[]) : []) {
    const [scanned, , settled] = (Array.isArray(lane) ? lane : []) as [unknown, unknown, unknown];
    const last: unknown = Array.isArray(settled) ? (settled.at(-1) as unknown[] | undefined)?.[1] : undefined;
    for (const position of [scanned, last])
      if (Number.isSafeInteger(position)) highest = Math.max(highest, position as number);
  }
  return highest;
}

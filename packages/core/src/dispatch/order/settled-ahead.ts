import type { Position } from '../../contracts/event-store.ts';
import type { Lane } from '../../event/priority.ts';
import type { JsonObject } from '../../json.ts';
import { lanesOf } from '../inherited.ts';
import type { SettledRange } from '../settled-ranges.ts';

/**
 * What was settled of each priority when events of all began to keep one order: everything at or below a position, and what lies
 * in the ranges. A range of a key that begins before that reaches over such events, which it does not owe. It is read from the
 * progress at that time and no other: later, what a key owes counts as settled in the lane, too.
 */
export type SettledAhead = readonly (readonly [through: Position, settled: readonly SettledRange[]])[];

/** Reads it from the progress of what kept no order, or another one; `undefined` where nothing is ahead of anything. */
export function settledAhead(progress: JsonObject | undefined, head: Position): SettledAhead | undefined {
  const ahead = lanesOf(progress)?.map(([scanned, , settled]): SettledAhead[number] => [
    Math.min(scanned, head),
    settled.filter(([from]) => from <= head).map(([from, through]) => [from, Math.min(through, head)]),
  ]);
  const isLevel = ahead?.every(([through, settled]) => settled.length === 0 && through === ahead[0]![0]);
  return isLevel ? undefined : ahead;
}

export function isSettledAhead(ahead: SettledAhead, lane: Lane, position: Position): boolean {
  const [through, settled] = ahead[lane]!;
  return position <= through || settled.some(([from, last]) => from <= position && position <= last);
}

/** Nothing behind it was settled ahead. */
export function endOfAhead(ahead: SettledAhead): Position {
  return Math.max(...ahead.map(([through, settled]) => Math.max(through, settled.at(-1)?.[1] ?? 0)));
}

import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { JsonObject } from '../json.ts';

/** Ranges that are remembered one by one; of older ones only the count is. */
const RANGES_MAX = 100;

/** Debts that were removed together. */
export interface RemovedRange {
  /** Both ends inside. */
  readonly from: Position;
  readonly through: Position;
  readonly count: number;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
}

/** Debts of one subscription that retention removed: what it was owed and will never get. Kept as long as the subscription. */
export interface DebtRemovals {
  readonly count: number;
  /** The newest last. */
  readonly ranges: readonly RemovedRange[];
}

/** The change that adds a range; part of the commit by which the debts are none any more. */
export function removalChange(key: string, before: DebtRemovals | undefined, range: RemovedRange): StateChange {
  const { count = 0, ranges = [] } = before ?? {};
  const value = { count: count + range.count, ranges: [...ranges, range].slice(-RANGES_MAX) };
  return { kind: 'debt-removal', key, value: value as unknown as JsonObject };
}

import type { Position } from '../contracts/event-store.ts';
import type { Lane } from '../event/priority.ts';
import type { KeyEntry } from './order/key-entry.ts';
import type { Owed } from './owed.ts';

/** A delivery in the middle of an attempt. */
export interface Claimed {
  readonly position: Position;
  readonly lane: Lane;
  readonly attempt: number;
  /** Slot in the lane; -1 when the debt stands in `owed`. */
  readonly slot: number;
  readonly owed: Owed | undefined;
  /** Its key, in an ordered queue. */
  readonly entry: KeyEntry | undefined;
}

/** An attempt on whose end nobody waits any more. */
export interface GivenUp {
  readonly batch: readonly { readonly claimed: Claimed }[];
  settledAt(at: number): unknown;
}

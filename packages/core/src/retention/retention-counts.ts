import type { Bounds } from '../contracts/event-store.ts';

/** What retention did since the engine was opened, and what it saw last. */
export interface RetentionCounts {
  /** Events that left the log. */
  removedEvents: number;
  /** Bytes of their bodies. */
  removedBytes: number;
  /** Deliveries that somebody was owed still when their event left; in `deliveries.removed` as well. */
  removedDebts: number;
  /** What holds events back that are due: the number of subscriptions. */
  holding: number;
  /** As of the last look: from where to where the log goes, and since when it has its first event (wall clock). */
  log: (Pick<Bounds, 'first' | 'head' | 'bytes' | 'events'> & { readonly firstAtMs?: number }) | undefined;
}

export function noRetentionCounts(): RetentionCounts {
  return { removedEvents: 0, removedBytes: 0, removedDebts: 0, holding: 0, log: undefined };
}

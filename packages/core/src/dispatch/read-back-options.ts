import type { EventStore, LostRange, Partition, Position, Recorded } from '../contracts/event-store.ts';
import type { Timers } from '../runtime/clock.ts';
import type { PatternIndex } from '../topic/pattern-index.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';
import type { DeliveryLog } from './delivery-log.ts';

/** What a scan of the log for those that missed something needs: the lanes of subscriptions, and the ranges of their keys. */
export interface ReadBackOptions {
  readonly partition: Partition;
  readonly log: DeliveryLog;
  readonly store: EventStore;
  readonly bodies: Bodies;
  readonly index: Pick<PatternIndex<ActiveSubscription>, 'match'>;
  readonly subscriptions: ReadonlyMap<string, ActiveSubscription>;
  readonly routedHead: () => Position;
  /** Whether an event is meant at all. Absent: every one is. */
  readonly takes?: (record: Recorded) => boolean;
  readonly wallMs: () => number;
  readonly wake: (subscription: ActiveSubscription) => void;
  readonly onLost: (lost: LostRange) => void;
  readonly onFailure: (error: unknown) => void;
  readonly timers: Timers;
}

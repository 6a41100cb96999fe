import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Gate } from './gate.ts';
import type { KeptEvent } from './kept-event.ts';
import type { FailedAttempt } from './owed.ts';
import type { QueueKeys } from './queue-options.ts';

/** A delivery of a replay that was given up on. */
export interface FailedReplay {
  readonly kept: KeptEvent;
  readonly attempts: number;
  readonly errors: readonly FailedAttempt[];
  readonly atMs: number;
}

/**
 * What makes an active subscription a replay: it delivers once more what another one was owed, with a queue and records of its
 * own. It stands in no list of subscriptions, and what it does counts for none of them.
 */
export interface ReplayDuty {
  /** Whose way out it shares, with the breaker, the rate and the pauses; absent where it has one of its own. */
  readonly shares: ActiveSubscription | undefined;
  /** Of its records, beneath those of the subscription. */
  readonly keys: QueueKeys;
  /** Nothing behind it is offered. */
  readonly until: Position;
  /** What may hold it back beside the gates of the one it shares with. */
  readonly gates: readonly Gate[];
  /** It had its turn, and may be at its end. */
  served(): void;
  /** There may be room for what the log has. */
  drained(): void;
  /** What joins the commit of a delivery that was given up on. */
  failed(failed: FailedReplay): readonly StateChange[];
  /** What each commit of its progress says besides. */
  record(): StateChange;
}

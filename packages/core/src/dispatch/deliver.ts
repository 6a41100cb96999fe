import type { AttemptError, DeliverOptions, Delivery, Outcome } from '../contracts/sink.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { ClaimedDelivery } from './claim.ts';
import { lifeOf } from './life-of.ts';
import type { TimetableEntry } from './timetable.ts';

/**
 * One call of a sink.
 *
 *     running ──outcome──▶ ended
 *        └──deadline, lost lease, stop──▶ abandoned ──late outcome or grace──▶ ended
 *
 * Abandoned: the deliveries of which the sink has said nothing are settled as failed and the signal is aborted, but the slot
 * stays taken until the sink returns or 30 seconds have passed, so that a handler that ignores its signal is not started again
 * beside itself.
 */
export class Attempt implements DeliverOptions {
  readonly subscription: ActiveSubscription;
  readonly batch: readonly ClaimedDelivery[];
  readonly deliveries: readonly Delivery[];
  /** Set when the sink is called. */
  deadlineAtMs = 0;
  state: 'running' | 'abandoned' | 'ended' = 'running';
  /** Where it stands among the attempts of its subscription: for `Attempts` alone. */
  isListed = false;
  /** Its receiver has left: it takes no slot from those that are there. */
  lingers = false;
  earlier: Attempt | undefined;
  later: Attempt | undefined;
  /** The end of its grace, while it is in the timetable: for `Deadlines` alone. */
  grace: TimetableEntry | undefined;
  #abort: AbortController | undefined;
  #settled: (Outcome | undefined)[] | undefined;

  constructor(subscription: ActiveSubscription, batch: readonly ClaimedDelivery[]) {
    this.subscription = subscription;
    this.batch = batch;
    // Mostly one, and a closure for each was a fiftieth of what a delivery allocates.
    this.deliveries =
      batch.length === 1 ? [delivery(subscription, batch[0]!)] : batch.map((each) => delivery(subscription, each));
  }

  get isUnderWay(): boolean {
    return this.isListed;
  }

  /** Made on demand: most handlers never ask, and an AbortController costs more than a delivery. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  handedOver(): void {
    for (const delivery of this.batch) {
      if (delivery.claimed.attempt !== 1 || delivery.isAwaited === false) continue;
      delivery.isAwaited = false;
      this.subscription.firstAttemptEnded(delivery.kept);
    }
  }

  settled(index: number, outcome: Outcome): void {
    this.#settled ??= [];
    this.#settled[index] = outcome;
  }

  /** What the sink said of one delivery before it answered for all. */
  settledAt(index: number): Outcome | undefined {
    return this.#settled?.[index];
  }

  get settledCount(): number {
    return this.#settled?.filter((outcome) => outcome !== undefined).length ?? 0;
  }

  abandon(): void {
    this.state = 'abandoned';
    this.#abort ??= new AbortController();
    this.#abort.abort();
  }
}

function delivery(subscription: ActiveSubscription, { claimed, kept }: ClaimedDelivery): Delivery {
  const { id, queue } = subscription;
  const life = lifeOf(queue.resets, queue.roundOf(claimed.owed));
  const { attempt } = claimed;
  if (life === undefined) return { record: kept, subscriptionId: id, attempt };
  return { record: kept, subscriptionId: id, attempt, life };
}

/**
 * Hands an attempt to its sink and reports exactly once per result. `onOutcomes` may be called before `deliver` returns,
 * when the sink worked synchronously. A sink that throws, or answers anything but one known outcome per delivery, has a
 * bug; its deliveries count as failed.
 */
export function deliver(attempt: Attempt, onOutcomes: (attempt: Attempt, outcomes: readonly Outcome[]) => void): void {
  let answer: unknown;
  try {
    answer = attempt.subscription.sink.deliver(attempt.deliveries, attempt);
  } catch (error) {
    onOutcomes(attempt, failAll(attempt, error));
    return;
  }
  if (answer instanceof Promise) {
    answer.then(
      (outcomes: unknown) => onOutcomes(attempt, check(attempt, outcomes)),
      (error: unknown) => onOutcomes(attempt, failAll(attempt, error)),
    );
  } else {
    onOutcomes(attempt, check(attempt, answer));
  }
}

function check(attempt: Attempt, outcomes: unknown): readonly Outcome[] {
  const isSound = Array.isArray(outcomes) && outcomes.length === attempt.batch.length && outcomes.every(isOutcome);
  return isSound ? outcomes : failAll(attempt, new TypeError('The sink did not answer one outcome per delivery.'));
}

export function isOutcome(value: unknown): value is Outcome {
  const { status, error, afterMs } = (value ?? {}) as {
    status?: unknown;
    error?: Partial<AttemptError>;
    afterMs?: unknown;
  };
  const saysWhy = typeof error?.code === 'string' && typeof error.message === 'string';
  const hasDelay = typeof afterMs === 'number' && afterMs >= 0;
  if (status === 'delivered' || status === 'release') return true;
  if (status === 'busy') return (afterMs === undefined || hasDelay) && (error === undefined || saysWhy);
  if (status === 'retry') return saysWhy && (afterMs === undefined || hasDelay);
  return (status === 'reject' || status === 'gone') && saysWhy;
}

function failAll(attempt: Attempt, error: unknown): Outcome[] {
  const reason = error instanceof Error ? error.message : String(error);
  return attempt.batch.map(() => ({ status: 'retry', error: { code: 'sink_error', message: reason } }));
}

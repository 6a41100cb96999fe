/**
 * What is kept of deliveries that are over: how each ended, after which errors, when, and at which process. The debt and its
 * errors vanish with the settlement, so the record joins that very commit: after a crash both are there or neither is.
 *
 * By default only what failed or waited once has a record, and what ended without a delivery. Then a delivery that succeeds at
 * once, which nearly all do, costs nothing: below the floor and without a record means delivered at the first attempt.
 */
import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { JsonObject } from '../json.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { ClaimedDelivery } from './claim.ts';
import { positionKey } from './dead-letter.ts';
import type { KeptEvent } from './kept-event.ts';
import type { FailedAttempt, Owed } from './owed.ts';

/** How a delivery ended. */
export type DeliveryEnd = 'delivered' | 'dead-letter' | 'expired' | 'withdrawn';

export interface DeliveryRecord {
  readonly eventId: string;
  readonly end: DeliveryEnd;
  /** Attempts that were made. */
  readonly attempts: number;
  /** What they failed with; of a dead letter its own record has them. */
  readonly errors: readonly FailedAttempt[];
  /** Which life of the debt it was: a redrive adds one. */
  readonly round: number;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** The process that settled it. */
  readonly by: string;
}

/** A subscription that is away for a day must not write a million records when it comes back. */
const EXPIRED_AT_ONCE_MAX = 1_000;
const ERROR_BYTES = 200;
/** Records of one subscription before it is looked whether there are too many. */
const MANY = 1_000;

export interface DeliveryLogOptions {
  readonly clock: Clock;
  /** Names this process. */
  readonly instance: string;
}

export class DeliveryLog {
  /** A subscription wrote so many records that somebody should look whether there are too many. */
  onMany: (subscriptionId: string) => void = () => {};
  /** Records that were written since somebody looked, by subscription. */
  readonly #written = new Map<string, number>();
  readonly #options: DeliveryLogOptions;

  constructor(options: DeliveryLogOptions) {
    this.#options = options;
  }

  get instance(): string {
    return this.#options.instance;
  }

  /** How many records the subscription wrote since this was asked last. */
  take(subscriptionId: string): number {
    const written = this.#written.get(subscriptionId) ?? 0;
    this.#written.delete(subscriptionId);
    return written;
  }

  /** Of these nobody will ask any more. */
  forget(isGone: (subscriptionId: string) => boolean): void {
    for (const id of this.#written.keys()) if (isGone(id)) this.#written.delete(id);
  }

  /** What joins the settlement of a delivery that was taken; nothing for one that was taken at once, unless all are wanted. */
  delivered(subscription: ActiveSubscription, { claimed, kept }: ClaimedDelivery): readonly StateChange[] {
    const { deliveryLog } = subscription.definition.options;
    if (!claimed.owed && deliveryLog !== 'full') return [];
    const { failedAttempts: errors = [] } = claimed.owed ?? {};
    const round = subscription.queue.roundOf(claimed.owed);
    return this.#changes(subscription, kept, { end: 'delivered', attempts: claimed.attempt, errors, round });
  }

  /** The same for one that became a dead letter. */
  buried(subscription: ActiveSubscription, { claimed, kept }: ClaimedDelivery): readonly StateChange[] {
    const round = subscription.queue.roundOf(claimed.owed);
    return this.#changes(subscription, kept, { end: 'dead-letter', attempts: claimed.attempt, errors: [], round });
  }

  /** Notes what ends without another attempt; it joins the commit of what the caller settles next. */
  passed(
    subscription: ActiveSubscription,
    kept: KeptEvent,
    end: 'expired' | 'withdrawn',
    owed: Owed | undefined,
  ): void {
    const { queue } = subscription;
    if (!owed && queue.pendingChanges >= EXPIRED_AT_ONCE_MAX) return;
    const { attempt: attempts = 0, failedAttempts: errors = [] } = owed ?? {};
    const round = queue.roundOf(owed);
    // What only may have been under way when a process died was perhaps never wanted at all.
    if (end === 'withdrawn' && owed?.suspect && errors.length === 0) return;
    const changes = this.#changes(subscription, kept, { end, attempts, errors, round });
    if (changes.length > 0) queue.join(changes, recordBytes(errors.length));
  }

  #changes(
    subscription: ActiveSubscription,
    kept: KeptEvent,
    ended: Pick<DeliveryRecord, 'end' | 'attempts' | 'errors' | 'round'>,
  ): readonly StateChange[] {
    const { id, definition, replay } = subscription;
    // What a replay did stands in its report: it is no delivery that was owed.
    if (replay || definition.options.deliveryLog === 'off') return [];
    const { clock, instance: by } = this.#options;
    const record: DeliveryRecord = { eventId: kept.id, ...ended, atMs: clock.wallMs(), by };
    const written = (this.#written.get(id) ?? 0) + 1;
    this.#written.set(id, written);
    if (written % MANY === 0) this.onMany(id);
    const key = deliveryRecordKey(id, kept.place.partition, kept.position);
    return [{ kind: 'attempt', key, value: record as unknown as JsonObject }];
  }
}

export function recordBytes(errors: number): number {
  return ERROR_BYTES * (1 + errors);
}

/** One for each delivery: that of a later round takes the place of the one before. */
export function deliveryRecordKey(subscriptionId: string, partition: number, position: Position): string {
  return `${subscriptionId}/${partition}/${positionKey(position)}`;
}

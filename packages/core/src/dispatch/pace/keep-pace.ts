import type { Lane } from '../../event/priority.ts';
import type { JsonObject } from '../../json.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { SubscriptionDefinition } from '../../subscription/subscription.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import { hasWork } from '../claim.ts';
import { Aging } from './aging.ts';
import { FullerBatch } from './fuller-batch.ts';
import { RateLimit, tellsOfAttempts, UNLIMITED } from './rate-limit.ts';

/**
 * The limit that a subscription asks for, or the one that it had when its `progress` was written; its queue keeps the record.
 */
export function rateLimitOf(
  { options }: SubscriptionDefinition,
  progress: JsonObject | undefined,
  { clock, planted }: Runtime,
): RateLimit | undefined {
  const { rateLimitPerMinute = UNLIMITED } = options;
  if (rateLimitPerMinute === UNLIMITED && !tellsOfAttempts(progress)) return undefined;
  return new RateLimit(rateLimitPerMinute, clock, planted.has('rate-limit-lost-at-restart'));
}

/** Sets up the pace that a subscription asks for. One that asks for none has no gate and no age to look at. */
export function keepPace(subscription: ActiveSubscription, rateLimit: RateLimit | undefined, runtime: Runtime): void {
  const { flushIntervalMs, agingMs } = subscription.definition.options;
  if (rateLimit) subscription.gates.push(rateLimit);
  if (rateLimit?.isLimited) subscription.rateLimit = rateLimit;
  if (flushIntervalMs !== undefined && subscription.batchSize > 1) {
    subscription.gates.push(new FullerBatch(flushIntervalMs, subscription));
  }
  // Where order is kept there is one lane, and nothing to overtake.
  if (agingMs === undefined || subscription.queue.isOrdered || runtime.planted.has('aging-ignored')) return;
  subscription.aging = new Aging(agingMs, {
    hasWork: (lane) => hasWork(subscription, lane),
    ageMs: (lane) => ageMs(subscription, lane, runtime.clock.wallMs()),
  });
}

/** How long the event that a claim would take from `lane` has been owed. */
function ageMs(subscription: ActiveSubscription, lane: Lane, wallMs: number): number {
  const { queue } = subscription;
  const position = queue.peekReady(lane)?.position ?? queue.byLane[lane]!.peek();
  return position === undefined ? 0 : subscription.ageMs(position, wallMs);
}

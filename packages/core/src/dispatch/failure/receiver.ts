import type { AttemptError, RealtimeState } from '../../contracts/sink.ts';
import type { JsonObject } from '../../json.ts';
import type { Chance } from '../../runtime/chance.ts';
import { breakerPolicyOf, disableAfterMsOf, hasAddress } from '../../subscription/options/failure-options.ts';
import type { StoppedReason, SubscriptionDefinition } from '../../subscription/subscription.ts';
import { Breaker } from './breaker.ts';
import { FailingTime } from './failing-time.ts';

/** What became of a receiver as a whole; each is counted, and all but a pause are told under `$sys`. */
export type ReceiverChange =
  | { readonly what: 'breaker-opened'; readonly error: AttemptError }
  | { readonly what: 'breaker-closed' }
  /** It asked for a pause. */
  | { readonly what: 'paused' }
  /** Half of the time after which it is stopped is over. */
  | { readonly what: 'failing'; readonly error: AttemptError }
  | { readonly what: 'stopped'; readonly reason: StoppedReason };

/**
 * What a subscription knows of the one who takes its deliveries, beyond single attempts. Only a subscription that has an
 * endpoint, or asked for it, has one: the others pay nothing.
 */
export class Receiver {
  readonly breaker: Breaker | undefined;
  readonly failing: FailingTime;
  /** Pauses it asked for one after the other, without anything taken between them. */
  pausesInARow = 0;
  /** By which it was reached last, where there are two. */
  way: RealtimeState['way'] | undefined;
  /** Hears of what no outcome told. */
  onChange: (change: ReceiverChange) => void = () => {};

  constructor(definition: SubscriptionDefinition, chance: Chance, kept: JsonObject | undefined) {
    const policy = breakerPolicyOf(definition);
    this.breaker = policy && new Breaker(policy, chance);
    this.failing = new FailingTime(disableAfterMsOf(definition), addressOf(definition), kept);
  }

  /** For what no outcome told. Whoever calls it wakes the subscription. */
  closeBreaker(): void {
    if (!this.breaker || this.breaker.state === 'closed') return;
    this.breaker.close();
    this.onChange({ what: 'breaker-closed' });
  }

  /** Somebody says that it is well. */
  forgive(): void {
    this.closeBreaker();
    this.breaker?.close();
    this.failing.end();
    this.pausesInARow = 0;
  }
}

/** Names a receiver in records without telling its address. */
export function nameOf(receiver: Receiver | undefined): string {
  return receiver?.failing.of ?? '';
}

/** `undefined` where nobody wants to know. */
export function receiverOf(
  definition: SubscriptionDefinition,
  chance: Chance,
  kept: JsonObject | undefined,
): Receiver | undefined {
  if (!hasAddress(definition.sink) && breakerPolicyOf(definition) === undefined && disableAfterMsOf(definition) === 0)
    return undefined;
  return new Receiver(definition, chance, kept);
}

function addressOf({ id, sink }: SubscriptionDefinition): string {
  if ('endpoint' in sink) return sink.endpoint;
  return 'fallback' in sink && sink.fallback ? sink.fallback.endpoint : id;
}

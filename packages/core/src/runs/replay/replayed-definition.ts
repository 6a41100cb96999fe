import type { SubscriptionDefinition } from '../../subscription/subscription.ts';

/**
 * As a subscription is served for a replay. A key that waits for somebody to release it would keep the replay from its end; the
 * pace is that of the subscription itself, and what is kept of its deliveries says nothing of this one.
 */
export function replayedDefinition(definition: SubscriptionDefinition): SubscriptionDefinition {
  const { rateLimitPerMinute: _rate, agingMs: _aging, onFailure, ...rest } = definition.options;
  const options = { ...rest, deliveryLog: 'off' as const };
  return { ...definition, state: 'active', options: onFailure === 'skip' ? { ...options, onFailure } : options };
}

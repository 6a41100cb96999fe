import { ANONYMOUS, type Engine, type Sink, type SubscriptionDefinition } from '@event-manager/core';
import type { SubscriptionPlan } from './plan.ts';

/** Creates what a plan says, so that everything published from then on is owed to it. */
export async function makeSubscription(engine: Engine, plan: SubscriptionPlan): Promise<SubscriptionDefinition> {
  const { subscriptions } = engine;
  const request = requestOf(plan);
  if (plan.via === 'pull') return subscriptions.subscribe(ANONYMOUS, request);
  if (plan.via === 'webhook') {
    return subscriptions.subscribe(ANONYMOUS, { ...request, endpoint: 'https://receiver.example/' });
  }
  const created = Object.values(plan.traits).find((trait) => trait.created)?.created ?? {};
  if ('endpoint' in created) return subscriptions.subscribe(ANONYMOUS, { ...request, ...created });
  // Members come and go; the first one only makes the subscription.
  const sink: Sink = { deliver: (batch) => batch.map(() => ({ status: 'release' })), close: async () => {} };
  const definition = await subscriptions.subscribe(ANONYMOUS, request, { sink });
  await subscriptions.detach(ANONYMOUS, definition.id, { sink, drainMs: 0 });
  return definition;
}

/** What whoever creates it or attaches to it asks for, without the way out. */
export function requestOf(plan: SubscriptionPlan): Record<string, unknown> {
  const { name, topic, batchSize, maxConcurrency, timeoutMs, maxRetries, minimumPriority } = plan;
  const retry = { maxRetries, backoffStrategy: 'exponential', initialDelay: 20, maxDelay: 2_000, jitter: true };
  const options = { batchSize, maxConcurrency, timeoutMs, retryPolicy: retry, priority: minimumPriority };
  const traits = Object.values(plan.traits);
  const more = Object.assign({}, ...traits.map((trait) => trait.request ?? {}));
  const all = Object.assign(options, ...traits.map((trait) => trait.options ?? {})) as Record<string, unknown>;
  // Features draw alone; these two exclude each other.
  if (all['order'] !== undefined) delete all['agingMs'];
  return { name, topic, ...more, options: all };
}

import { foreignEventId } from '../event/foreign-event-id.ts';
import { namedSubscriptionId } from './catalog.ts';
import type { SubscriptionDefinition, SubscriptionRequest } from './subscription.ts';

/**
 * The id that follows from a request; `undefined` where each request is another subscription. One without a name that has a
 * fallback outlives its process, so whoever comes back has to find it: the same words are the same subscription.
 */
export function subscriptionIdOf(request: SubscriptionRequest): string | undefined {
  const { name, topic, filter, context, subscriber, sink } = request;
  if (name !== undefined) return namedSubscriptionId(name);
  if ((sink.kind !== 'handler' && sink.kind !== 'socket') || !sink.fallback) return undefined;
  const words = [topic, filter ?? null, context ?? null, subscriber ?? null, sink];
  return foreignEventId('event-manager/fallback', JSON.stringify(words));
}

/** Whoever attaches and says nothing of a fallback agrees with the one that there is: it is not its way. */
export function withFallbackOf(known: SubscriptionDefinition, request: SubscriptionRequest): SubscriptionRequest {
  const { sink } = known;
  const attaches = sink.kind === 'handler' || sink.kind === 'socket';
  if (!attaches || !sink.fallback || JSON.stringify(request.sink) !== JSON.stringify({ kind: sink.kind }))
    return request;
  return { ...request, sink };
}

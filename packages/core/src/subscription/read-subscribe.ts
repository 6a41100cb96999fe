import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Limits } from '../limits.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../retry/retry-policy.ts';
import { type BatchHandler, batchHandlerSink, type EventHandler, handlerSink } from '../sink/handler-sink.ts';
import type { Attached } from './attached.ts';
import { parseSubscription } from './parse-subscription.ts';
import type { SubscriptionRequest } from './subscription.ts';

export interface ReadSubscribe {
  readonly request: SubscriptionRequest;
  /** The handler of the input, or the socket; absent for what has an endpoint. */
  readonly attached: Attached | undefined;
}

/** Reads what `subscribe` was given. Throws what `parseSubscription` throws, and `not_supported` for a webhook without a way out. */
export function readSubscribe(
  input: unknown,
  { limits, webhooks }: { limits: Limits; webhooks: boolean },
  socket?: Attached,
): ReadSubscribe {
  if (socket) return { request: parseSubscription(input, limits, 'socket'), attached: socket };
  const { batchHandler, ...rest } = isObject(input) ? input : {};
  if (batchHandler !== undefined && rest['handler'] !== undefined) {
    const words = 'A subscription has a handler or a batchHandler, not both.';
    throw new EventManagerError('invalid_subscription', words, { pointer: '/batchHandler' });
  }
  const given = batchHandler === undefined ? input : { ...rest, handler: batchHandler };
  const request = parseSubscription(given, limits);
  if (request.sink.kind === 'pull') {
    const words = 'A subscription needs a handler or an endpoint; pulling is not supported yet.';
    throw new EventManagerError('not_supported', words, { pointer: '/endpoint' });
  }
  if (request.sink.kind === 'webhook') {
    if (webhooks) return { request, attached: undefined };
    throw new EventManagerError('not_supported', 'Webhooks are not set up.', { pointer: '/endpoint' });
  }
  const sink =
    batchHandler === undefined
      ? handlerSink((given as { handler: EventHandler }).handler)
      : batchHandlerSink(batchHandler as BatchHandler);
  return { request, attached: { sink } };
}

/**
 * Who says nothing about retries gets the default of the engine, and later what was agreed on then: a default that changes
 * is no other definition. The parser's own default, and not one that is equal, tells that nothing was said.
 */
export function withRetry(request: SubscriptionRequest, retry: RetryPolicy): SubscriptionRequest {
  if (request.options.retry !== DEFAULT_RETRY_POLICY) return request;
  return { ...request, options: { ...request.options, retry } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Limits } from '../limits.ts';
import { DEFAULT_RETRY_POLICY, type RetryPolicy } from '../retry/retry-policy.ts';
import { type BatchHandler, batchHandlerSink, type EventHandler, handlerSink } from '../sink/handler-sink.ts';
import type { Attached } from './attached.ts';
import type { WaysOut } from './make-sink.ts';
import { parseSubscription } from './parse-subscription.ts';
import type { SubscriptionRequest, SubscriptionSink } from './subscription.ts';

/** The kinds of endpoints that this process can deliver to. */
type WaysThere = Partial<Pick<WaysOut, 'webhookSink' | 'webSocketSink'>>;

export interface ReadSubscribe {
  readonly request: SubscriptionRequest;
  /** The handler of the input, or the socket; absent for what needs nobody attached. */
  readonly attached: Attached | undefined;
}

/** Reads what `subscribe` was given. Throws what `parseSubscription` throws, and `not_supported` for a webhook without a way out. */
export function readSubscribe(
  input: unknown,
  { limits, ...ways }: WaysThere & { readonly limits: Limits },
  socket?: Attached,
): ReadSubscribe {
  if (socket) {
    const request = parseSubscription(input, limits, 'socket');
    assertWays(request.sink, ways);
    return { request, attached: socket };
  }
  const { batchHandler, ...rest } = isObject(input) ? input : {};
  if (batchHandler !== undefined && rest['handler'] !== undefined) {
    const words = 'A subscription has a handler or a batchHandler, not both.';
    throw new EventManagerError('invalid_subscription', words, { pointer: '/batchHandler' });
  }
  const given = batchHandler === undefined ? input : { ...rest, handler: batchHandler };
  const request = parseSubscription(given, limits);
  assertWays(request.sink, ways);
  assertAsked(request);
  if (request.sink.kind !== 'handler') return { request, attached: undefined };
  const sink =
    batchHandler === undefined
      ? handlerSink((given as { handler: EventHandler }).handler)
      : batchHandlerSink(batchHandler as BatchHandler);
  return { request, attached: { sink } };
}

/** Without a name nobody could ask for its deliveries again, and a handler that was forgotten would go unnoticed. */
function assertAsked({ sink, name }: SubscriptionRequest): void {
  if (sink.kind !== 'pull' || name !== undefined) return;
  const words = 'A subscription has a handler or an endpoint, or a name under which its deliveries are asked for.';
  throw new EventManagerError('invalid_subscription', words, { pointer: '/name' });
}

/** An endpoint that this process has no way to would wait for ever. */
function assertWays(sink: SubscriptionSink, { webhookSink, webSocketSink }: WaysThere): void {
  const fallback = 'fallback' in sink && sink.fallback !== undefined;
  if ((sink.kind === 'webhook' || fallback) && !webhookSink) {
    const pointer = fallback ? '/fallbackWebhook' : '/endpoint';
    throw new EventManagerError('not_supported', 'Webhooks are not set up.', { pointer });
  }
  if (sink.kind === 'websocket' && !webSocketSink) {
    throw new EventManagerError('not_supported', 'WebSockets to dial are not set up.', { pointer: '/endpoint' });
  }
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

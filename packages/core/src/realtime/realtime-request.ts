import { EventManagerError } from '../errors/event-manager-error.ts';
import { FILTER_FIELDS } from '../filter/aliases.ts';
import { fieldName } from '../json/read-fields.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { SubscriptionFields } from '../subscription/subscribe-options.ts';
import { OPTION_FIELDS, SUBSCRIPTION_FIELDS } from '../subscription/subscription-fields.ts';

/** What `createRealtimeStream` takes: a request to subscribe that need not name a topic (then it is about everything). */
export interface RealtimeRequest extends SubscriptionFields {
  readonly topic?: string | undefined;
  /** With a name of its own the subscription stays when the stream is closed. */
  readonly name?: string | undefined;
  /** `ws:` or `wss:` URL that the bus connects to. Without it the events come to `onEvent` of this program alone. */
  readonly endpoint?: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const NAME_CHARACTERS_MAX = DEFAULT_LIMITS.nameCharactersMax;

/** Says how a connection is kept that the bus dials; there is none when the program itself receives. */
const CONNECTION_OPTIONS: ReadonlySet<string> = new Set([
  'heartbeatMs',
  'reconnectAttempts',
  'bufferSize',
  'compression',
]);

/** The request to subscribe that is meant. What is wrong in it is refused there. Throws also `invalid_endpoint`. */
export function subscribeRequestOf(request: unknown): Fields {
  if (!isFields(request)) throw expectedObject();
  const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
  const topic = fieldOf(given, 'topic') === undefined ? { topic: '#' } : {};
  const endpoint = fieldOf(given, 'endpoint');
  if (endpoint === undefined) {
    const kept = Object.entries(given).filter(([key]) => fieldName(SUBSCRIPTION_FIELDS, key) !== 'connectionType');
    return { ...topic, ...Object.fromEntries(kept.map(([key, value]) => [key, withoutConnection(key, value)])) };
  }
  if (!/^wss?:/i.test(String(endpoint))) {
    const words = 'A realtime stream leads to a URL that begins with ws:// or wss://.';
    throw new EventManagerError('invalid_endpoint', words, { pointer: '/endpoint' });
  }
  return { ...topic, ...(hasOwnName(given) ? {} : { name: nameFor(given, endpoint) }), ...given };
}

/** Then its subscription outlives the stream. */
export function hasOwnName(request: RealtimeRequest | Fields): boolean {
  return fieldOf(request as Fields, 'name') !== undefined;
}

/** Found again by whoever makes the same stream after a restart, instead of a second one beside it. */
function nameFor(request: Fields, endpoint: unknown): string {
  return `realtime/${fieldOf(request, 'subscriber') ?? endpoint}`.slice(0, NAME_CHARACTERS_MAX);
}

/** Of `setupRealtimeStream`: options and fields of the filter stand beside each other, and each finds its place. */
export function setupRequestOf(subscriberId: string, options: unknown = {}): RealtimeRequest {
  if (!isFields(options))
    throw new EventManagerError('invalid_subscription', 'An object is expected here.', { pointer: '' });
  const fields: Record<string, unknown> = { subscriberId };
  const filters: Record<string, unknown> = {};
  const delivery: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    const name = fieldName(SUBSCRIPTION_FIELDS, key);
    if (name === 'filter' && isFields(value)) Object.assign(filters, value);
    else if (name === 'options' && isFields(value)) Object.assign(delivery, value);
    else if (name !== undefined) fields[key] = value;
    else if (fieldName(FILTER_FIELDS, key) !== undefined) filters[key] = value;
    else if (fieldName(OPTION_FIELDS, key) !== undefined) delivery[key] = value;
    // It is refused by its name.
    else fields[key] = value;
  }
  if (Object.keys(filters).length > 0) fields['filters'] = filters;
  if (Object.keys(delivery).length > 0) fields['options'] = delivery;
  return fields;
}

function withoutConnection(key: string, value: unknown): unknown {
  if (fieldName(SUBSCRIPTION_FIELDS, key) !== 'options' || !isFields(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !CONNECTION_OPTIONS.has(fieldName(OPTION_FIELDS, name) ?? ''));
  return Object.fromEntries(kept);
}

function fieldOf(fields: Fields, name: string): unknown {
  return Object.entries(fields).find(([key]) => fieldName(SUBSCRIPTION_FIELDS, key) === name)?.[1];
}

function expectedObject(): EventManagerError {
  return new EventManagerError('invalid_subscription', 'An object is expected here.', { pointer: '' });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

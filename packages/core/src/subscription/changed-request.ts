import { EventManagerError } from '../errors/event-manager-error.ts';
import { type FieldTable, fieldName } from '../json/read-fields.ts';
import { withoutPreset } from './options/pace-options.ts';
import { leftWithoutEffect } from './options/without-effect.ts';
import { withoutPaceOf } from './pace-in-filter.ts';
import type { SubscriptionDefinition, SubscriptionRequest, SubscriptionSink } from './subscription.ts';
import { OPTION_FIELDS, SUBSCRIPTION_FIELDS } from './subscription-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What a change says about the ways of a subscription, wherever it says it; `undefined` for what it leaves as it is. */
interface WayChanges {
  readonly endpoint: unknown;
  readonly realtime: unknown;
  readonly fallbackWebhook: unknown;
}

/**
 * The request that gives `definition` with `changes` when it is parsed: a change in any spelling replaces what is stored. It has a
 * filter only where that changes: one that an earlier version took, and this one would refuse, must not hinder other changes.
 */
export function changedRequest(definition: SubscriptionDefinition, changes: Fields): Fields {
  const { name, subscriber, topic, context, sink } = definition;
  const given = changes['options'];
  const way = storedWay(sink, {
    endpoint: mentioned(changes, 'endpoint', SUBSCRIPTION_FIELDS),
    realtime: inEither(changes, given, 'realtime'),
    fallbackWebhook: inEither(changes, given, 'fallbackWebhook'),
  });
  const pace = mentioned(changes, 'filter', SUBSCRIPTION_FIELDS);
  const options = { ...withoutPaceOf(pace, { ...definition.options }), ...way.options };
  const kept = withoutLeft(options, new Set());
  const stored = { name, subscriber, topic, context, options: kept, ...way.fields };
  const merged = isFields(given) ? { ...changes, options: changedOptions(options, given) } : changes;
  return overlay(stored, merged, SUBSCRIPTION_FIELDS);
}

function changedOptions(options: Fields, given: Fields): Fields {
  const said = new Set(Object.keys(given).map((key) => fieldName(OPTION_FIELDS, key)));
  return withoutLeft(overlay(withoutPreset(options, said), given, OPTION_FIELDS), said);
}

/** Without what belonged to an option that is changed: an order can be taken away without naming what said more of it. */
function withoutLeft(options: Fields, said: ReadonlySet<string | undefined>): Fields {
  const left = new Set(leftWithoutEffect((name) => mentioned(options, name, OPTION_FIELDS), said));
  return left.size === 0 ? options : Object.fromEntries(Object.entries(options).filter(([key]) => !left.has(key)));
}

/** How the changed request of a subscription is to be read: a socket cannot be said by any input. */
export function throughOf({ sink }: SubscriptionDefinition, request: Fields): 'socket' | undefined {
  return sink.kind === 'socket' && request['endpoint'] === undefined ? 'socket' : undefined;
}

/** Throws `invalid_subscription` for another name, and for another way out than what was created can have. */
export function assertMayBecome(before: SubscriptionDefinition, after: SubscriptionRequest): void {
  if (after.name !== before.name) throw invalid('The name of a subscription cannot be changed.', '/name');
  if (mayBecome(before.sink, after.sink)) return;
  throw invalid(`${STAYS[before.sink.kind]} To have it otherwise, create another one.`, '/endpoint');
}

const STAYS: Readonly<Record<SubscriptionSink['kind'], string>> = {
  handler: 'A subscription with a handler stays so.',
  webhook: 'A subscription with an endpoint keeps one.',
  websocket: 'A subscription with an endpoint keeps one.',
  socket: 'A subscription that sockets attach to stays so.',
  pull: 'A subscription whose deliveries are pulled has no endpoint and gets none.',
};

/** What is served without anybody attached may take another way; what lives in somebody's program stays there. */
export function mayBecome(before: SubscriptionSink, after: SubscriptionSink): boolean {
  return before.kind === after.kind || (isServedAlways(before) && isServedAlways(after));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}

function isServedAlways(sink: SubscriptionSink): boolean {
  return (
    sink.kind === 'webhook' || sink.kind === 'websocket' || (sink.kind === 'socket' && sink.fallback !== undefined)
  );
}

/** The fields and options that say how events leave, as they are stored and as far as the change does not say it anew. */
function storedWay(sink: SubscriptionSink, changes: WayChanges): { fields: Fields; options: Fields } {
  const { kind, fallback, ...rest } = sink as SubscriptionSink & { fallback?: Fields };
  if (kind === 'handler') return { fields: { handler: () => {}, ...keptFallback(fallback, changes) }, options: {} };
  if (kind === 'socket') return { fields: fallback ? storedSocket(fallback, changes) : {}, options: {} };
  // Another fallback takes the place of the endpoint that would have become it.
  const isReplaced = changes.realtime === true && changes.fallbackWebhook !== undefined;
  if (kind === 'webhook') return { fields: isReplaced ? {} : addressFor(rest, changes.endpoint), options: {} };
  if (kind !== 'websocket') return { fields: {}, options: {} };
  const { endpoint, secret, headers, ...options } = rest as Fields;
  // Without realtime what is left of it is its fallback, and an endpoint of another kind needs none.
  if (changes.realtime === false && fallback) return { fields: addressFor(fallback, changes.endpoint), options: {} };
  if (isHttp(changes.endpoint))
    return { fields: addressFor({ endpoint, secret, headers }, changes.endpoint), options: {} };
  const address = addressFor({ endpoint, secret, headers }, changes.endpoint);
  return { fields: { ...address, ...keptFallback(fallback, changes) }, options };
}

/** The endpoint of its request is the fallback; another fallback stands for itself. */
function storedSocket(fallback: Fields, { endpoint, realtime, fallbackWebhook }: WayChanges): Fields {
  const isRealtime = realtime === undefined ? { realtime: true } : {};
  return fallbackWebhook === undefined ? { ...addressFor(fallback, endpoint), ...isRealtime } : isRealtime;
}

function keptFallback(fallback: Fields | undefined, { fallbackWebhook }: WayChanges): Fields {
  return fallback && fallbackWebhook === undefined ? { fallbackWebhook: fallback } : {};
}

/**
 * Headers often hold a credential of one receiver, which answers never show: another host must not be sent it because somebody
 * changed the address. The secret stays: a signature does not tell it.
 */
function addressFor(address: Fields, endpoint: unknown): Fields {
  if (endpoint === undefined) return address;
  // What is no URL is refused when the request is parsed.
  const isSame = URL.parse(String(endpoint))?.origin === URL.parse(String(address['endpoint']))?.origin;
  return isSame ? address : { ...address, headers: undefined };
}

function isHttp(endpoint: unknown): boolean {
  return /^https?:/i.test(String(endpoint ?? ''));
}

function inEither(changes: Fields, options: unknown, name: string): unknown {
  return (
    mentioned(changes, name, SUBSCRIPTION_FIELDS) ??
    (isFields(options) ? mentioned(options, name, OPTION_FIELDS) : undefined)
  );
}

function mentioned(changes: Fields, name: string, table: FieldTable): unknown {
  return Object.entries(changes).find(([key]) => fieldName(table, key) === name)?.[1];
}

function overlay(stored: object, changes: Fields, table: FieldTable): Fields {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const names = new Set(given.map(([key]) => fieldName(table, key)));
  const kept = Object.entries(stored).filter(([key]) => !names.has(fieldName(table, key)));
  return { ...Object.fromEntries(kept), ...Object.fromEntries(given) };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { type FieldTable, fieldName } from '../json/read-fields.ts';
import type { SubscriptionDefinition, SubscriptionSink } from './subscription.ts';
import { OPTION_FIELDS, SUBSCRIPTION_FIELDS } from './subscription-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The request that gives `definition` with `changes` when it is parsed: a change in any spelling replaces what is stored. */
export function changedRequest(definition: SubscriptionDefinition, changes: Fields): Fields {
  const { name, subscriber, topic, filter, sink, options } = definition;
  const { kind: _kind, ...address } = leavesItsOrigin(sink, changes) ? { ...sink, headers: undefined } : sink;
  const handler = sink.kind === 'handler' ? { handler: () => {} } : {};
  const stored = { name, subscriber, topic, filter, options, ...address, ...handler };
  const given = changes['options'];
  const merged = isFields(given) ? { ...changes, options: overlay(options, given, OPTION_FIELDS) } : changes;
  return overlay(stored, merged, SUBSCRIPTION_FIELDS);
}

/**
 * Headers often hold a credential of one receiver, which answers never show: another host must not be sent it because somebody
 * changed the address. The secret stays: a signature does not tell it.
 */
function leavesItsOrigin(sink: SubscriptionSink, changes: Fields): boolean {
  const given = Object.entries(changes).find(([key]) => fieldName(SUBSCRIPTION_FIELDS, key) === 'endpoint')?.[1];
  if (sink.kind !== 'webhook' || given === undefined) return false;
  // What is no URL is refused when the request is parsed.
  return URL.parse(String(given))?.origin !== URL.parse(sink.endpoint)?.origin;
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

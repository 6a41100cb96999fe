import { type FieldTable, fieldName } from '../json/read-fields.ts';
import type { SubscriptionDefinition } from './subscription.ts';
import { OPTION_FIELDS, SUBSCRIPTION_FIELDS } from './subscription-fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The request that gives `definition` with `changes` when it is parsed: a change in any spelling replaces what is stored. */
export function changedRequest(definition: SubscriptionDefinition, changes: Fields): Fields {
  const { name, subscriber, topic, filter, sink, options } = definition;
  const { kind: _kind, ...address } = sink;
  const handler = sink.kind === 'handler' ? { handler: () => {} } : {};
  const stored = { name, subscriber, topic, filter, options, ...address, ...handler };
  const given = changes['options'];
  const merged = isFields(given) ? { ...changes, options: overlay(options, given, OPTION_FIELDS) } : changes;
  return overlay(stored, merged, SUBSCRIPTION_FIELDS);
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

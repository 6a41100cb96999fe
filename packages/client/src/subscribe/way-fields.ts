import {
  type FieldTable,
  fieldName,
  type JsonObject,
  OPTION_FIELDS,
  SUBSCRIPTION_FIELDS,
} from '@event-manager/core/portable';
import { isObject } from '../http/problem-error.ts';

const OF_REQUEST: ReadonlySet<string> = new Set(['realtime', 'fallbackWebhook', 'secret', 'headers']);
const OF_OPTIONS: ReadonlySet<string> = new Set(['realtime', 'fallbackWebhook']);

/**
 * What a request says of the other way of its subscription, under the names of the request. It has to be said again on each
 * connection, and only here is it known whole: the service shows neither the secret nor the headers.
 */
export function wayFields(body: JsonObject): JsonObject {
  const { options } = body;
  const among = isObject(options) ? named(options, OPTION_FIELDS, OF_OPTIONS) : {};
  return { ...among, ...named(body, SUBSCRIPTION_FIELDS, OF_REQUEST) } as JsonObject;
}

function named(fields: object, table: FieldTable, wanted: ReadonlySet<string>): object {
  const entries = Object.entries(fields).map(([key, value]) => [fieldName(table, key) ?? key, value] as const);
  return Object.fromEntries(entries.filter(([name]) => wanted.has(name)));
}

import type { BatchHandler, EventHandler } from '@event-manager/core';
import {
  checkJson,
  DEFAULT_LIMITS,
  EventManagerError,
  fieldName,
  type JsonObject,
  SUBSCRIPTION_FIELDS,
} from '@event-manager/core/portable';
import { isObject } from '../http/problem-error.ts';
import type { Handling } from './handling.ts';

/** A request to subscribe: what the service is told, and what stays here. */
export interface ReadSubscribeRequest {
  readonly body: JsonObject;
  /** Absent for what is not handled here. */
  readonly handling?: Handling;
}

/** Looks only at what the service does not see. Throws `invalid_subscription`, `not_supported`. */
export function readSubscribeRequest(request: unknown): ReadSubscribeRequest {
  if (!isObject(request)) throw wrong('An object is expected here.', '');
  const { handler, batchHandler, ...rest } = request;
  for (const [pointer, value] of [
    ['/handler', handler],
    ['/batchHandler', batchHandler],
  ] as const) {
    if (value !== undefined && typeof value !== 'function') throw wrong('A handler is a function.', pointer);
  }
  if (handler !== undefined && batchHandler !== undefined) {
    throw wrong('A subscription has a handler or a batchHandler, not both.', '/batchHandler');
  }
  checkJson(rest, { depthMax: DEFAULT_LIMITS.depthMax, pointer: '', code: 'invalid_subscription' });
  const body = withName(rest as JsonObject);
  const isHandled = handler !== undefined || batchHandler !== undefined;
  if (body['endpoint'] !== undefined) {
    if (!isHandled) return { body };
    throw wrong('A subscription has a handler or an endpoint, not both.', '/handler');
  }
  // Its deliveries are asked for.
  if (!isHandled) return { body };
  const handling = handler ? { handler: handler as EventHandler } : { batchHandler: batchHandler as BatchHandler };
  return { body, handling };
}

/** What it is called decides here how it is attached, so it is looked for under every word for it. */
function withName(body: JsonObject): JsonObject {
  const spelled = Object.keys(body).find((key) => key !== 'name' && fieldName(SUBSCRIPTION_FIELDS, key) === 'name');
  // Of two names the service says that one is too many.
  if (spelled === undefined || body['name'] !== undefined) return body;
  const { [spelled]: name, ...rest } = body;
  return { ...rest, name: name! };
}

function wrong(words: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', words, { pointer });
}

import { EventManagerError } from '../errors/event-manager-error.ts';
import { parseFilter } from '../filter/filter.ts';
import { type ReadFields, readFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { parsePattern } from '../topic/pattern.ts';
import { parseOptions } from './parse-options.ts';
import type { SubscriptionRequest, SubscriptionSink } from './subscription.ts';
import { SUBSCRIPTION_FIELDS } from './subscription-fields.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what it is for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
/** A field name of HTTP (RFC 9110, section 5.6.2). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADERS_MAX = 50;
const HEADER_CHARACTERS_MAX = 4_096;
const SECRET_CHARACTERS_MAX = 512;

/**
 * Reads a request to subscribe in any spelling and returns the part of the definition that the subscriber decides, with
 * defaults, sharing nothing with the input. A `handler` must be a function; it is not part of the result. `through` says
 * that a socket serves it, which is nothing that the input could say. Throws
 * `invalid_subscription`, `invalid_pattern`, `invalid_filter`, `invalid_topic`, `invalid_cursor`, `invalid_endpoint`, and
 * `not_supported` for what later versions will understand; each with `details.pointer`.
 */
export function parseSubscription(input: unknown, limits: Limits, through?: 'socket'): SubscriptionRequest {
  const fields = readFields(input, SUBSCRIPTION_FIELDS, { code: 'invalid_subscription', pointer: '' });
  const topic = fields.get('topic');
  if (typeof topic !== 'string') throw invalid('A topic pattern is needed.', fields.pointer('topic'));
  parsePattern(topic, limits, fields.pointer('topic'));
  const sink = through === 'socket' ? readSocket(fields) : readSink(fields, limits);
  const name = readName(fields, 'name', limits);
  const subscriber = readName(fields, 'subscriber', limits);
  const filter = fields.get('filter');
  const options = fields.get('options');
  return {
    ...(name === undefined ? {} : { name }),
    ...(subscriber === undefined ? {} : { subscriber }),
    topic,
    ...(filter === undefined ? {} : { filter: parseFilter(filter, limits, fields.pointer('filter')) }),
    sink,
    options: parseOptions(options === undefined ? {} : options, sink.kind, limits, fields.pointer('options')),
  };
}

/** A subscription has a handler, or an endpoint, or neither, which means that its deliveries are asked for. */
function readSink(fields: ReadFields, limits: Limits): SubscriptionSink {
  const handler = fields.get('handler');
  const endpoint = fields.get('endpoint');
  const sink = endpoint === undefined ? handlerOrPull(fields, handler) : readWebhook(fields, endpoint, limits);
  if (handler !== undefined && endpoint !== undefined) {
    throw invalid('A subscription has a handler or an endpoint, not both.', fields.pointer('handler'));
  }
  checkConnectionType(fields, sink.kind);
  return sink;
}

/** Whoever subscribes through a socket is the receiver, so an address of another one contradicts it. */
function readSocket(fields: ReadFields): SubscriptionSink {
  for (const name of ['handler', 'endpoint', 'secret', 'headers']) {
    if (fields.get(name) === undefined) continue;
    throw invalid(`A subscription through a socket has no ${name}.`, fields.pointer(name));
  }
  checkConnectionType(fields, 'socket');
  return { kind: 'socket' };
}

function handlerOrPull(fields: ReadFields, handler: unknown): SubscriptionSink {
  for (const name of ['secret', 'headers']) {
    if (fields.get(name) !== undefined) throw invalid(`${name} needs an endpoint.`, fields.pointer(name));
  }
  if (handler === undefined) return { kind: 'pull' };
  if (typeof handler === 'function') return { kind: 'handler' };
  throw invalid('A handler is a function.', fields.pointer('handler'));
}

function readWebhook(fields: ReadFields, endpoint: unknown, limits: Limits): SubscriptionSink {
  const secret = fields.get('secret');
  if (secret !== undefined && !isText(secret, SECRET_CHARACTERS_MAX)) {
    throw invalid(`A secret is a text of 1 to ${SECRET_CHARACTERS_MAX} characters.`, fields.pointer('secret'));
  }
  const headers = fields.get('headers');
  return {
    kind: 'webhook',
    endpoint: readEndpoint(endpoint, limits, fields.pointer('endpoint')),
    ...(secret === undefined ? {} : { secret: secret as string }),
    ...(headers === undefined ? {} : { headers: readHeaders(headers, fields.pointer('headers')) }),
  };
}

/** The form only; whether the address may be called is for the sender to decide, each time it calls. */
function readEndpoint(endpoint: unknown, limits: Limits, pointer: string): string {
  const message = 'An endpoint is an absolute http or https URL without user, password and fragment.';
  const fault = new EventManagerError('invalid_endpoint', message, { pointer });
  if (!isText(endpoint, limits.endpointCharactersMax)) throw fault;
  const url = URL.parse(endpoint);
  if (url === null) throw fault;
  if (url.protocol === 'ws:' || url.protocol === 'wss:') {
    throw new EventManagerError('not_supported', 'WebSocket endpoints are not supported yet.', { pointer });
  }
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  // A user and a password would end up in logs and listings; a header may carry them.
  if (!isHttp || url.username !== '' || url.password !== '' || endpoint.includes('#')) throw fault;
  return endpoint;
}

function readHeaders(headers: unknown, pointer: string): Readonly<Record<string, string>> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw invalid('Headers are an object of texts.', pointer);
  }
  const entries = Object.entries(headers);
  if (entries.length > HEADERS_MAX) throw invalid(`At most ${HEADERS_MAX} headers are allowed.`, pointer);
  const isUsable = entries.every(
    ([name, value]) => HEADER_NAME.test(name) && name !== '__proto__' && isText(value, HEADER_CHARACTERS_MAX),
  );
  if (!isUsable) throw invalid('Header names are tokens of HTTP, values are texts without line breaks.', pointer);
  return Object.fromEntries(entries.map(([name, value]) => [name, value as string]));
}

function checkConnectionType(fields: ReadFields, kind: SubscriptionSink['kind']): void {
  const given = fields.get('connectionType');
  if (given === undefined || given === kind) return;
  if (given === 'websocket' && kind === 'socket') return;
  const pointer = fields.pointer('connectionType');
  if (given === 'websocket' || given === 'sse' || given === 'grpc') {
    throw new EventManagerError('not_supported', `${given} connections are not supported yet.`, { pointer });
  }
  throw invalid('The connection type contradicts the endpoint or handler, or is unknown.', pointer);
}

function readName(fields: ReadFields, field: 'name' | 'subscriber', limits: Limits): string | undefined {
  const value = fields.get(field);
  if (value === undefined || isText(value, limits.nameCharactersMax)) return value;
  const message = `A text of 1 to ${limits.nameCharactersMax} characters without control characters is expected.`;
  throw invalid(message, fields.pointer(field));
}

function isText(value: unknown, charactersMax: number): value is string {
  const hasLength = typeof value === 'string' && value.length > 0 && value.length <= charactersMax;
  return hasLength && !CONTROL.test(value) && value.isWellFormed();
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}

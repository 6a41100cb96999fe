import { EventManagerError } from '../errors/event-manager-error.ts';
import type { ReadFields } from '../json/read-fields.ts';
import type { Limits } from '../limits.ts';
import { isText } from './is-text.ts';

/** A field name of HTTP (RFC 9110, section 5.6.2). */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADERS_MAX = 50;
const HEADER_CHARACTERS_MAX = 4_096;
const SECRET_CHARACTERS_MAX = 512;
const PROTOCOLS = ['http:', 'https:', 'ws:', 'wss:'];

/** Where something is sent, and how the receiver knows who sends it. */
export interface Address {
  readonly endpoint: string;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Reads `endpoint` with the `secret` and the `headers` beside it. */
export function readAddress(fields: ReadFields, limits: Limits, endpoint: unknown): Address {
  const secret = fields.get('secret');
  if (secret !== undefined && !isText(secret, SECRET_CHARACTERS_MAX)) {
    throw invalid(`A secret is a text of 1 to ${SECRET_CHARACTERS_MAX} characters.`, fields.pointer('secret'));
  }
  const headers = fields.get('headers');
  return {
    endpoint: readEndpoint(endpoint, limits, fields.pointer('endpoint')),
    ...(secret === undefined ? {} : { secret }),
    ...(headers === undefined ? {} : { headers: readHeaders(headers, fields.pointer('headers')) }),
  };
}

/** The form only; whether the address may be called is for the sender to decide, each time it calls. */
export function readEndpoint(endpoint: unknown, limits: Limits, pointer: string): string {
  const message = 'An endpoint is an absolute http, https, ws or wss URL without user, password and fragment.';
  const fault = new EventManagerError('invalid_endpoint', message, { pointer });
  if (!isText(endpoint, limits.endpointCharactersMax)) throw fault;
  const url = URL.parse(endpoint);
  if (url === null || !PROTOCOLS.includes(url.protocol)) throw fault;
  // A user and a password would end up in logs and listings; a header may carry them.
  if (url.username !== '' || url.password !== '' || endpoint.includes('#')) throw fault;
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

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}

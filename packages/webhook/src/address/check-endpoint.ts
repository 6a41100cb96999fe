import { isIP } from 'node:net';
import { DEFAULT_LIMITS, EventManagerError } from '@event-manager/core';
import { type AddressGuard, bareHost } from './address-guard.ts';

const HTTP = ['http:', 'https:'];
/** Names that mean this machine or its cloud's metadata service everywhere. */
const INSIDE: ReadonlySet<string> = new Set(['localhost', 'metadata', 'metadata.google.internal', 'instance-data']);
const INSIDE_ENDINGS = ['.localhost', '.in-addr.arpa', '.ip6.arpa'];

/**
 * Reads the endpoint of a subscription when it is made. Throws `invalid_endpoint` or `endpoint_blocked`.
 *
 * Names are not resolved here: what they answer now says nothing about later, and the time it takes would tell a
 * stranger which names exist inside. The connection is judged again by `guardedConnector`, each time.
 */
export function checkEndpoint(
  endpoint: string,
  guard: AddressGuard,
  charactersMax: number = DEFAULT_LIMITS.endpointCharactersMax,
  protocols: readonly string[] = HTTP,
): URL {
  if (endpoint.length > charactersMax) throw invalid(`The endpoint has more than ${charactersMax} characters.`);
  // The URL parser drops tabs and line ends and trims: what a person read and what is called would differ.
  if (/[\s\p{Cc}]/u.test(endpoint)) throw invalid('The endpoint has a space or a control character.');
  const url = URL.parse(endpoint);
  if (url === null) throw invalid('The endpoint is not an absolute URL.');
  if (!protocols.includes(url.protocol)) {
    throw invalid(`The endpoint must begin with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`);
  }
  if (url.username !== '' || url.password !== '')
    throw invalid('The endpoint must not contain a user name or password.');
  if (!mayDial(url.hostname, guard)) throw endpointBlocked();
  return url;
}

/** What can be told without asking DNS. The parser has already read every other spelling of an address (decimal, octal, short, full-width). */
export function mayDial(hostname: string, guard: AddressGuard): boolean {
  const host = bareHost(hostname);
  if (guard.trusts(host)) return true;
  if (isIP(host) !== 0) return !guard.refuses(host);
  if (host === 'localhost' || host.endsWith('.localhost')) return !guard.refuses('127.0.0.1');
  return !INSIDE.has(host) && !INSIDE_ENDINGS.some((ending) => host.endsWith(ending));
}

/** The same words whatever was behind the address, so that an answer does not map the network. */
export function endpointBlocked(): EventManagerError {
  return new EventManagerError('endpoint_blocked', 'The address of the endpoint may not be called.', {
    pointer: '/endpoint',
  });
}

function invalid(message: string): EventManagerError {
  return new EventManagerError('invalid_endpoint', message, { pointer: '/endpoint' });
}

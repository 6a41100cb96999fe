import { isEventManagerError } from '@event-manager/core';
import { errors } from 'undici';

const CODES: readonly (readonly [RegExp, string, string])[] = [
  [/^(ERR_IP_BLOCKED|endpoint_blocked)$/, 'endpoint_blocked', 'The address of the endpoint may not be called.'],
  [/^ECONNREFUSED$/, 'connection_refused', 'The receiver refused the connection.'],
  [
    /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/,
    'connection_reset',
    'The connection ended before the response was complete.',
  ],
  [
    /^(ENOTFOUND|ENODATA|ESERVFAIL|EREFUSED|EBADNAME|EBADRESP|EAI_AGAIN|ETIMEOUT)$/,
    'name_not_resolved',
    'The name of the endpoint has no address.',
  ],
  [/^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/, 'connect_timeout', 'The receiver did not accept the connection in time.'],
  [/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/, 'timeout', 'The receiver did not answer in time.'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'unreachable', 'There is no way to the receiver.'],
  [/^(HPE_.*|UND_ERR_.*)$/, 'invalid_response', 'The response is not valid HTTP, or its headers are too large.'],
  [
    /(^ERR_TLS_|^ERR_SSL_|CERT|^EPROTO$|SELF_SIGNED|UNABLE_TO_VERIFY)/,
    'tls_failed',
    'No secure connection could be made.',
  ],
];

/**
 * Says why a request failed, in codes that stay the same and words without addresses: they end in attempt records and dead letters,
 * which the owner of the subscription reads. `undefined` for what is no failure of the network but a bug.
 */
export function networkFailure(error: unknown): { code: string; message: string } | undefined {
  if (isEventManagerError(error)) return failureOf(error.code);
  // Several addresses were tried at once and all failed.
  if (error instanceof AggregateError && error.errors.length > 0) return networkFailure(error.errors[0]);
  // Some of these carry no code.
  if (error instanceof errors.HTTPParserError) return failureOf('HPE_INVALID');
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string'
    ? (failureOf(code) ?? { code: 'network_error', message: 'The request failed.' })
    : undefined;
}

/** Failures before anything was sent: the receiver cannot have seen the event. */
const UNREACHED: ReadonlySet<string> = new Set([
  'endpoint_blocked',
  'connection_refused',
  'name_not_resolved',
  'connect_timeout',
  'unreachable',
  'tls_failed',
]);

export function isUnreached(code: string): boolean {
  return UNREACHED.has(code);
}

function failureOf(given: string): { code: string; message: string } | undefined {
  const row = CODES.find(([pattern]) => pattern.test(given));
  return row && { code: row[1], message: row[2] };
}

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BrowserSettings } from './browser-options.ts';

/** Why a request does not become a connection, as its HTTP answer says it. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 426 | 503;
  readonly code: string;
  readonly detail: string;
}

const REASONS: Readonly<Record<Refusal['status'], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  426: 'Upgrade Required',
  503: 'Service Unavailable',
};
const RETRY_AFTER_S = 5;

/**
 * Browsers let every page open a WebSocket to every address, and nothing asks first as CORS does: so who asks is judged here.
 * The name that was asked for counts as well: a page whose own name was made to mean 127.0.0.1 after it was loaded (DNS
 * rebinding) has an origin that fits its host. A name that is an address, `localhost`, or listed cannot be made to mean
 * something else. Whoever sends no `Origin` is no browser that could be used against its user.
 */
export function refusalOf(
  { headers }: IncomingMessage,
  { origins, host }: Pick<BrowserSettings, 'origins' | 'host'>,
): Refusal | undefined {
  if (origins === 'any') return undefined;
  const asked = hostnameOf(`http://${headers.host ?? ''}`);
  if (asked === undefined) return { status: 400, code: 'invalid_request', detail: 'A request needs a host header.' };
  const { origin } = headers;
  if (origins) {
    if (origin === undefined || origins.includes(origin)) return undefined;
    return { status: 403, code: 'origin_not_allowed', detail: 'Pages of this origin may not connect.' };
  }
  if (asked !== 'localhost' && asked !== host && isIP(asked.replace(/^\[|\]$/g, '')) === 0) {
    return {
      status: 403,
      code: 'host_not_allowed',
      detail: 'Asked for by a foreign name; `origins` lists those that may.',
    };
  }
  if (origin === undefined || hostnameOf(origin) === asked) return undefined;
  return {
    status: 403,
    code: 'origin_not_allowed',
    detail: 'Pages of this origin may not connect; `origins` lists those that may.',
  };
}

/** Ends a request that is no connection yet. */
export function refuse(socket: Duplex, { status, code, detail }: Refusal): void {
  const body = JSON.stringify({ code, detail, status });
  const headers = [
    `HTTP/1.1 ${status} ${REASONS[status]}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? [`Retry-After: ${RETRY_AFTER_S}`] : []),
  ];
  socket.on('error', () => {});
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}

function hostnameOf(url: string): string | undefined {
  const name = URL.parse(url)?.hostname;
  return name === undefined || name === '' ? undefined : name.toLowerCase();
}

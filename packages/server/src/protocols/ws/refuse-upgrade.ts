import type { IncomingMessage } from 'node:http';
import { EventManagerError, isForeignHost } from '@event-manager/core';
import type { Configuration } from '../../configuration/settings.ts';
import type { Life } from '../../life.ts';
import { isForeignOrigin } from '../http/allow-origins.ts';
import { FOREIGN_HOST } from '../http/refuse-foreign-hosts.ts';

const FULL_RETRY_AFTER_MS = 5_000;

export interface Surroundings {
  readonly configuration: Configuration;
  readonly life: Life;
  /** Open now. */
  readonly connections: number;
}

/**
 * Why a request may not become a WebSocket; `undefined` when it may. Browsers let every page open a WebSocket to every
 * address and send the user's cookies along, and nothing asks first (there is no CORS): so `Origin` is judged here,
 * whoever decides who gets in.
 */
export function refusalOf(
  request: IncomingMessage,
  { configuration, life, connections }: Surroundings,
): EventManagerError | undefined {
  const { host, origin } = request.headers;
  if (host === undefined) {
    return new EventManagerError('invalid_request', 'A request needs a host header (RFC 9112, section 3.2).');
  }
  if (!configuration.allowUnauthenticated && isForeignHost(hostnameOf(host))) {
    return new EventManagerError('invalid_request', FOREIGN_HOST);
  }
  if (isForeignOrigin(origin, host, configuration.allowedOrigins)) {
    const words =
      'Pages of this origin may not connect; the setting EVENT_MANAGER_ALLOWED_ORIGINS lists those that may.';
    return new EventManagerError('invalid_request', words, { pointer: '/origin' });
  }
  if (life.phase !== 'serving') return new EventManagerError('not_ready', `The service is ${life.phase}.`);
  if (connections < configuration.wsConnectionsMax) return undefined;
  return new EventManagerError('overloaded', `${connections} WebSockets are open already.`, {
    limit: 'wsConnectionsMax',
    retryAfterMs: FULL_RETRY_AFTER_MS,
  });
}

function hostnameOf(host: string): string {
  return URL.parse(`http://${host}`)?.hostname ?? host;
}

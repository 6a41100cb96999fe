import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { ReadFields } from '../../json/read-fields.ts';

/** How the bus keeps a WebSocket that it dials. */
export interface RealtimeOptions {
  /** A ping goes out so often; a receiver that does not answer it is cut. */
  readonly heartbeatMs: number;
  /** Tries that may fail before the receiver counts as down; it is tried on all the same. */
  readonly reconnectAttempts: number;
  /** Deliveries under way, or waiting for the connection; what is beyond them stays in the store. */
  readonly bufferSize: number;
  /** Offers to compress frames. */
  readonly compression: boolean;
}

/** They may stand in the request itself, too. */
export const WAY_NAMES = ['realtime', 'fallbackWebhook'];
const NAMES = ['heartbeatMs', 'reconnectAttempts', 'bufferSize', 'compression'];
export const REALTIME_NAMES = [...WAY_NAMES, ...NAMES];
export const REALTIME_SPELLINGS = {
  heartbeat: 'heartbeatMs',
  heartbeatInterval: 'heartbeatMs',
  heartbeatIntervalMs: 'heartbeatMs',
  compressionEnabled: 'compression',
} as const;

const HEARTBEAT_MS = { otherwise: 30_000, min: 100, max: 60 * 60 * 1_000 };
const RECONNECT_ATTEMPTS = { otherwise: 5, min: 0, max: 1_000 };
const BUFFER_SIZE = { otherwise: 100, min: 1, max: 10_000 };

export function parseRealtime(options: ReadFields): RealtimeOptions {
  const compression = options.get('compression') ?? false;
  if (typeof compression !== 'boolean') throw invalid('true or false is expected.', options.pointer('compression'));
  return {
    heartbeatMs: readWhole(options, 'heartbeatMs', HEARTBEAT_MS),
    reconnectAttempts: readWhole(options, 'reconnectAttempts', RECONNECT_ATTEMPTS),
    bufferSize: readWhole(options, 'bufferSize', BUFFER_SIZE),
    compression,
  };
}

/** They say how we keep a connection: where we make none they would be without effect. */
export function refuseRealtime(options: ReadFields): void {
  for (const name of NAMES) {
    if (options.get(name) === undefined) continue;
    throw invalid(`${name} needs an endpoint that begins with ws:// or wss://.`, options.pointer(name));
  }
}

function readWhole(
  options: ReadFields,
  name: string,
  { otherwise, min, max }: { otherwise: number; min: number; max: number },
): number {
  const value = options.get(name) ?? otherwise;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(`A whole number from ${min} to ${max} is expected.`, options.pointer(name));
}

function invalid(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_subscription', message, { pointer });
}

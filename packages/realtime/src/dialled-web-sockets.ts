import {
  createEventIdSource,
  type Runtime,
  type Sink,
  type SubscriptionDefinition,
  type SubscriptionSink,
  systemRuntime,
} from '@event-manager/core';
import {
  type AddressGuard,
  addressGuard,
  checkEndpoint,
  dnsAddresses,
  extraHeaders,
  type ResolveAddresses,
  readSecret,
} from '@event-manager/webhook';
import { handshakeHeaders, helloFrame } from './frames/hello.ts';
import { dial } from './link/dial.ts';
import { WebSocketSink } from './web-socket-sink.ts';

export type WebSocketDefinition = Extract<SubscriptionSink, { kind: 'websocket' }>;

export interface DialledWebSocketsOptions {
  /** Which addresses may be dialled; by default the public internet alone. */
  readonly guard?: AddressGuard;
  readonly resolve?: ResolveAddresses;
  readonly runtime?: Runtime;
}

const MS_PER_SECOND = 1_000;
const PROTOCOLS = ['ws:', 'wss:'];

/**
 * Makes the ways out of subscriptions with a `ws:` or `wss:` endpoint, for the option `webSocketSink` of an event manager. What
 * it returns throws `invalid_endpoint`, `endpoint_blocked` and `invalid_subscription` for what could never be dialled.
 */
export function dialledWebSockets(
  options: DialledWebSocketsOptions = {},
): (definition: SubscriptionDefinition) => Sink {
  const { guard = addressGuard(), resolve = dnsAddresses(), runtime = systemRuntime } = options;
  const nextId = createEventIdSource(runtime);
  return (definition) => {
    const { sink } = definition;
    if (sink.kind !== 'websocket') throw new TypeError('Only a subscription with a WebSocket endpoint is dialled.');
    const { url, keys, headers } = readWebSocket(sink, guard);
    const usual = { 'user-agent': 'EventManager', ...headers };
    const handshake = () =>
      handshakeHeaders({
        subscriptionId: definition.id,
        connectionId: nextId(),
        timestampSeconds: Math.floor(runtime.clock.wallMs() / MS_PER_SECOND),
        keys,
      });
    return new WebSocketSink({
      dial: () => dial({ url, headers: { ...usual, ...handshake() }, compression: sink.compression, guard, resolve }),
      hello: helloFrame(definition),
      heartbeatMs: sink.heartbeatMs,
      reconnectAttempts: sink.reconnectAttempts,
      bufferSize: sink.bufferSize,
      runtime,
    });
  };
}

/** What of a definition can be judged without connecting. Throws `invalid_endpoint`, `endpoint_blocked`, `invalid_subscription`. */
export function readWebSocket(
  { endpoint, secret, headers = {} }: WebSocketDefinition,
  guard: AddressGuard,
): { url: URL; keys: readonly Uint8Array[]; headers: Readonly<Record<string, string>> } {
  return {
    url: checkEndpoint(endpoint, guard, undefined, PROTOCOLS),
    keys: secret === undefined ? [] : [readSecret(secret)],
    headers: extraHeaders(headers),
  };
}

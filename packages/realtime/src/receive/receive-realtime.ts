import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type EventHandler, type Runtime, systemRuntime } from '@event-manager/core';
import { readSecret, verify } from '@event-manager/webhook';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { PROTOCOL } from '../frames/protocol.ts';
import { Receiving } from './receiving.ts';

export interface RealtimeReceiverOptions {
  /** Called with each event. What it returns and throws means the same as for the handler of a subscription. */
  readonly handler: EventHandler;
  /** Of the subscriptions: a connection that none of them signed is refused. Without them anybody may connect. */
  readonly secrets?: readonly string[];
  /** Of the endpoint. Default: every path. */
  readonly path?: string;
  /** Handlers that run at once for one connection. Default: 1, in the order of the deliveries. */
  readonly concurrency?: number;
  /** A connection over which nothing came for so long is cut. Default: three heartbeats of the bus, 90 s. */
  readonly silentMs?: number;
  readonly frameBytesMax?: number;
  /** Events that wait for their handler on one connection. More is no bus but a flood: the connection is cut. Default: 256 MiB. */
  readonly waitingBytesMax?: number;
  readonly runtime?: Pick<Runtime, 'clock' | 'timers'>;
}

/** What accepts the connections that an event manager dials. */
export interface RealtimeReceiver {
  /** Open now. */
  readonly connections: number;
  /** Refuses new connections, lets handlers that run end and answer, and ends the open ones. The server stays as it is. */
  close(): Promise<void>;
}

const SILENT_MS = 90_000;
const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const WAITING_BYTES_MAX = 256 * 1024 * 1024;
const GOING_AWAY = 1_001;
/** For the answer to a goodbye. */
const CLOSE_MS = 1_000;

/**
 * Accepts the connections of subscriptions whose endpoint is a `ws:` address of `server`, hands their events to `handler`
 * and answers for each one. An event comes again, with a higher attempt, when the connection was lost before its answer came.
 * Throws `invalid_subscription` for a secret that is none.
 */
export function receiveRealtime(server: Server, options: RealtimeReceiverOptions): RealtimeReceiver {
  const { path, secrets, concurrency = 1, silentMs = SILENT_MS, runtime = systemRuntime, handler } = options;
  const { frameBytesMax = FRAME_BYTES_MAX, waitingBytesMax = WAITING_BYTES_MAX } = options;
  for (const secret of secrets ?? []) readSecret(secret);
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: frameBytesMax,
    closeTimeout: CLOSE_MS,
    handleProtocols: () => PROTOCOL,
    perMessageDeflate: { threshold: 1_024, serverNoContextTakeover: true, serverMaxWindowBits: 12 },
  } as ServerOptions);
  const open = new Set<Receiving>();

  const accept = (socket: WebSocket) => {
    const receiving = new Receiving({
      socket,
      handler,
      concurrency,
      silentMs,
      waitingBytesMax,
      timers: runtime.timers,
    });
    open.add(receiving);
    socket.once('close', () => open.delete(receiving));
  };
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (path !== undefined && pathOf(request) !== path) {
      if (server.listenerCount('upgrade') === 1) refuse(socket, '404 Not Found');
    } else if (!speaksOurs(request)) refuse(socket, '400 Bad Request');
    else if (secrets && !isSigned(request, secrets, runtime)) refuse(socket, '401 Unauthorized');
    else sockets.handleUpgrade(request, socket, head, accept);
  };
  server.on('upgrade', onUpgrade);

  return {
    get connections() {
      return open.size;
    },
    async close() {
      server.off('upgrade', onUpgrade);
      await Promise.all([...open].map((receiving) => receiving.end(GOING_AWAY)));
    },
  };
}

/** What stands in a request line need not be an address. */
function pathOf({ url = '/' }: IncomingMessage): string | undefined {
  return URL.parse(url, 'http://receiver')?.pathname;
}

function speaksOurs({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((name) => name.trim() === PROTOCOL);
}

function isSigned({ headers }: IncomingMessage, secrets: readonly string[], runtime: Pick<Runtime, 'clock'>): boolean {
  const subscription = headers['event-manager-subscription'];
  if (typeof subscription !== 'string') return false;
  return verify(Buffer.from(subscription), headers, secrets, runtime.clock).valid;
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

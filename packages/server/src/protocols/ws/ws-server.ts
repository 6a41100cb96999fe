import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Cancel, EventManagerError, type Runtime, type Turns } from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Configuration } from '../../configuration/settings.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import { endWithProblem } from '../http/end-with-problem.ts';
import { requestIds } from '../http/request-ids.ts';
import { COMPRESSION } from './compression.ts';
import { Connection, PAGE_PROTOCOL, type PageRequest, PROTOCOL } from './connection.ts';
import { frameBytesMax } from './limits.ts';
import { refusalOf } from './refuse-upgrade.ts';
import { cutLargestUnread } from './unread-frames.ts';

export const WS_PATH = '/ws';

/** How often connections are looked at, at the least. */
const LOOK_MS = 1_000;
/** A look may come so many times later than it should; what goes beyond that is not counted against anybody. */
const LATE_MAX = 2;
/** For the answer to a close frame. */
const CLOSE_TIMEOUT_MS = 1_000;
/** Nobody has a reason to send a frame in more fragments; each would be kept apart in memory. */
const FRAGMENTS_MAX = 128;
/** The same holds for what one read of the network brings; even over slow lines it is more than this, on the average. */
const CHUNK_BYTES_MIN = 256;
const CHUNKS_MIN = 4_096;

export interface WsServerOptions {
  readonly context: OperationContext;
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly turns: Turns;
  readonly logger: FastifyBaseLogger;
}

/** The WebSocket connections of the service, on the port of HTTP. */
export class WsServer {
  readonly #options: WsServerOptions;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #nextId: () => string;
  #cancelLook: Cancel | undefined;
  /** The clock of the looks stands still while the process does: what peers sent or took meanwhile, nobody has heard of yet. */
  #nowMs = 0;
  #lookedAtMs = 0;

  constructor(options: WsServerOptions) {
    const { configuration, runtime } = options;
    this.#options = options;
    this.#nextId = requestIds(runtime.chance);
    this.#webSockets = new WebSocketServer(serverOptions(configuration));
    this.#webSockets.on('wsClientError', (error, socket) => {
      endWithProblem(socket, new EventManagerError('invalid_request', `${error.message}.`));
    });
  }

  get size(): number {
    return this.#connections.size;
  }

  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Says goodbye to every connection; resolves when all that was under way is answered and left. */
  async close(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.drain()));
    this.#cancelLook?.();
  }

  /** Ends what is left. */
  cut(): void {
    for (const connection of this.#connections) connection.terminate();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onError = () => socket.destroy();
    socket.on('error', onError);
    const { configuration, context } = this.#options;
    const refusal = refusalOf(request, { configuration, life: context.life, connections: this.#connections.size });
    if (refusal) {
      endWithProblem(socket, refusal);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('error', onError);
      // The server listens on TCP; only its types allow for others.
      this.#connect(webSocket, socket as Socket, pageRequest(request));
    });
  }

  #connect(webSocket: WebSocket, socket: Socket, page: PageRequest): void {
    const id = this.#nextId();
    const connection = new Connection({ ...this.#options, id, nowMs: this.#nowMs, webSocket, socket, page });
    this.#connections.add(connection);
    const { connections } = this.#options.context;
    connections.webSockets = this.#connections.size;
    webSocket.on('close', () => {
      this.#connections.delete(connection);
      connections.webSockets = this.#connections.size;
    });
    if (this.#connections.size === 1) this.#look();
  }

  /** One timer for all: ten thousand would cost more than what they do. */
  readonly #look = (): void => {
    this.#cancelLook?.();
    if (this.#connections.size === 0) return;
    const { runtime, configuration } = this.#options;
    const { wsHeartbeatMs, wsStallMs, limits } = configuration;
    const everyMs = Math.min(LOOK_MS, wsHeartbeatMs / 4, wsStallMs / 4);
    const monotonicMs = runtime.clock.monotonicMs();
    this.#nowMs += Math.min(monotonicMs - this.#lookedAtMs, everyMs * LATE_MAX);
    this.#lookedAtMs = monotonicMs;
    for (const connection of this.#connections) connection.tick(this.#nowMs);
    cutLargestUnread(this.#connections, limits.bodiesBytesMax);
    this.#cancelLook = runtime.timers.after(everyMs, this.#look);
  };
}

/** The types of ws that exist do not know all of its options. */
interface UntypedOptions {
  readonly closeTimeout: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
}

function serverOptions(configuration: Configuration): ServerOptions & UntypedOptions {
  return {
    noServer: true,
    // Connections are counted here.
    clientTracking: false,
    // Pongs are sent by the connection, which knows whether the peer reads them.
    autoPong: false,
    maxPayload: frameBytesMax(configuration),
    maxFragments: FRAGMENTS_MAX,
    maxBufferedChunks: Math.max(CHUNKS_MIN, frameBytesMax(configuration) / CHUNK_BYTES_MIN),
    closeTimeout: CLOSE_TIMEOUT_MS,
    perMessageDeflate: configuration.wsCompression ? COMPRESSION : false,
    handleProtocols: (offered) => [PROTOCOL, PAGE_PROTOCOL].find((known) => offered.has(known)) ?? false,
  };
}

function pageRequest({ url = '' }: IncomingMessage): PageRequest {
  const asked = URL.parse(url, 'http://service')?.searchParams;
  const types = asked?.getAll('eventTypes').flatMap((some) => some.split(',')) ?? [];
  return { cursor: asked?.get('cursor') ?? undefined, eventTypes: types.length === 0 ? undefined : types };
}

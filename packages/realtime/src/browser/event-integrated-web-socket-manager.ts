/**
 * WebSockets for pages in browsers: each page follows the log of a bus from a cursor that it holds.
 *
 *     new ──subscribeToEventBus──▶ listening ──close──▶ closing ──every page left, or its time is over──▶ closed
 *
 * `listening`: a page is let in when its origin may, when it is authorized, and while there is room. One that comes beyond that
 * is let in and told to come later (1013), because a browser shows its page no HTTP status; so is one whose address has as many
 * as it may. Where even those who are told are too many the answer is 503, but whoever has room comes in. `closing`: nobody is let
 * in (503), pages get what waits for them for `drainMs`, and then 1001.
 * Nothing here is durable: after a crash pages come again with their cursors, and the log has what they missed.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Cancel, type Event, EventManagerError } from '@event-manager/core';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { assertOriginsAndTopics } from './assert-origins-and-topics.ts';
import { BrowserCounts, type BrowserMetrics } from './browser-counts.ts';
import { type BrowserOptions, type BrowserSettings, readBrowserOptions } from './browser-options.ts';
import type { PageSource } from './log-follower.ts';
import { PageAddresses } from './page-addresses.ts';
import { PAGE_PROTOCOL, PageConnection } from './page-connection.ts';
import { type Refusal, refusalOf, refuse } from './refuse-page.ts';
import type { PageForm } from './rollout.ts';
import { WebSocketEventBridge } from './web-socket-event-bridge.ts';

/** Pages that are let in only to be told that there is no room. */
const TURNED_AWAY_MAX = 100;
const TRY_AGAIN = 1_013;
const CLOSE_MS = 1_000;
/** Frames of pages are short; in so many fragments nobody sends them. */
const FRAGMENTS_MAX = 16;
const NAME_CHARACTERS_MAX = 128;
const COMPRESSION = {
  threshold: 1_024,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 12,
};

const STOPPING: Refusal = { status: 503, code: 'not_ready', detail: 'The server stops.' };
const FULL: Refusal = { status: 503, code: 'overloaded', detail: 'Too many pages are connected.' };
const CROWDED: Refusal = { ...FULL, detail: 'Too many pages of this address are connected.' };
const ELSEWHERE: Refusal = { status: 404, code: 'route_not_found', detail: 'There is no WebSocket at this address.' };
const UNAUTHORIZED: Refusal = { status: 401, code: 'not_authorized', detail: 'This page may not connect.' };

/** A bus, or the event manager of one; also that of the client, over the network. */
export type EventsForPages = PageSource | BusForPages;

interface BusForPages {
  readonly eventManager: PageSource;
  attachMetrics?(name: string, read: () => object): () => void;
  upcast?(event: Event): Event;
}

/** Under it a bus shows what happens here. */
const METRICS = 'webSockets';

export class EventIntegratedWebSocketManager implements AsyncDisposable {
  readonly #settings: BrowserSettings;
  readonly #counts = new BrowserCounts();
  readonly #bridge: WebSocketEventBridge;
  readonly #sockets: WebSocketServer;
  readonly #pages = new Set<PageConnection>();
  readonly #addresses: PageAddresses;
  #state: 'new' | 'listening' | 'closing' | 'closed' = 'new';
  #server: Server | undefined;
  #events: PageSource | undefined;
  #detachMetrics: (() => void) | undefined;
  #turnedAway = 0;
  /** Pages whose `authorize` has not answered yet. */
  #judged = 0;
  #cancelLook: Cancel = () => {};

  constructor(options: BrowserOptions = {}) {
    this.#settings = readBrowserOptions(options);
    assertOriginsAndTopics(this.#settings);
    const { bridge, onFailure } = this.#settings;
    this.#addresses = new PageAddresses(this.#settings);
    this.#bridge = new WebSocketEventBridge(bridge, (type, error) => {
      this.#counts.conversionFailed(type);
      onFailure(error);
    });
    this.#sockets = new WebSocketServer(serverOptions(this.#settings));
  }

  /** Follows the bus and lets pages in. Resolves when it listens; rejects when the port cannot be had, and may be called again. */
  async subscribeToEventBus(bus: EventsForPages): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') throw new EventManagerError('closed', 'It is closed.');
    if (this.#state !== 'new') throw new EventManagerError('invalid_request', 'It follows a bus already.');
    assertEvents(bus);
    this.#state = 'listening';
    this.#events = 'eventManager' in bus ? bus.eventManager : bus;
    if ('eventManager' in bus) {
      this.#detachMetrics = bus.attachMetrics?.(METRICS, () => this.getMetrics());
      if (bus.upcast) this.#bridge.upcastBy((event) => bus.upcast!(event));
    }
    const { server = ownServer() } = this.#settings;
    this.#server = server;
    server.on('upgrade', this.#upgrade);
    this.#look();
    if (this.#settings.server !== undefined) return;
    try {
      await listen(server, this.#settings);
    } catch (error) {
      this.#letGo();
      if (this.#state === 'listening') this.#state = 'new';
      throw error;
    }
  }

  /** That it listens on. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? (address as AddressInfo).port : undefined;
  }

  getMetrics(): BrowserMetrics {
    const queued = [...this.#pages].reduce((sum, page) => sum + page.queued, 0);
    const { maxConnections: connectionsMax } = this.#settings;
    return this.#counts.metrics({ connections: this.#pages.size, connectionsMax, queued });
  }

  /** Lets nobody in any more, gives pages what waits for them, and says goodbye. A server that it was given stays open. */
  async close(): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#state = 'closing';
    this.#cancelLook();
    this.#detachMetrics?.();
    await Promise.all([...this.#pages].map((page) => page.close(this.#settings.drainMs)));
    this.#state = 'closed';
    const server = this.#server;
    server?.off('upgrade', this.#upgrade);
    if (!server || server === this.#settings.server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A server that cannot listen is nobody's. */
  #letGo(): void {
    this.#cancelLook();
    this.#detachMetrics?.();
    this.#detachMetrics = undefined;
    this.#server?.off('upgrade', this.#upgrade);
    this.#server = undefined;
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const url = URL.parse(request.url ?? '', 'http://page');
    if (url === null || url.pathname !== this.#settings.path) {
      // On a server that we were given somebody else may know the address.
      if (this.#server?.listenerCount('upgrade') === 1) this.#refuse(socket, ELSEWHERE);
      return;
    }
    const onError = () => socket.destroy();
    socket.on('error', onError);
    this.#judge(request, socket).then(
      (verdict) => {
        if (socket.destroyed) return;
        if (typeof verdict === 'object') {
          this.#refuse(socket, verdict);
          return;
        }
        this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
          socket.off('error', onError);
          if (verdict === 'welcome') this.#connect(webSocket, url.searchParams);
          else this.#turnAway(webSocket, CROWDED);
        });
      },
      (error: unknown) => {
        this.#settings.onFailure(error);
        this.#refuse(socket, UNAUTHORIZED);
      },
    );
  };

  async #judge(request: IncomingMessage, socket: Duplex): Promise<Refusal | 'welcome' | 'crowded'> {
    if (this.#state !== 'listening') return STOPPING;
    const { authorize, maxConnections } = this.#settings;
    const asking = this.#pages.size + this.#judged;
    const mayTellMore = this.#turnedAway < TURNED_AWAY_MAX;
    if (asking >= maxConnections + TURNED_AWAY_MAX || (asking >= maxConnections && !mayTellMore)) return FULL;
    const refusal = refusalOf(request, this.#settings);
    if (refusal) return refusal;
    if (!this.#addresses.take(request, socket)) return mayTellMore ? 'crowded' : CROWDED;
    if (!authorize) return 'welcome';
    this.#judged++;
    try {
      return (await authorize(request)) ? 'welcome' : UNAUTHORIZED;
    } finally {
      this.#judged--;
    }
  }

  #refuse(socket: Duplex, refusal: Refusal): void {
    this.#count(refusal);
    refuse(socket, refusal);
  }

  #connect(webSocket: WebSocket, asked: URLSearchParams): void {
    const { maxConnections, messageQueueSize, maxFrameBytes, topics, runtime, onFailure } = this.#settings;
    // The answer of `authorize` may have taken its time.
    if (this.#pages.size >= maxConnections || this.#state !== 'listening') {
      this.#turnAway(webSocket, FULL);
      return;
    }
    const id = this.#newId();
    const counts = this.#counts;
    counts.accepted++;
    const page = new PageConnection({
      ...{ id, webSocket, counts, topics, runtime, onFailure },
      events: this.#events!,
      from: asked.get('cursor') ?? undefined,
      eventTypes: asked.getAll('eventTypes').flatMap((types) => types.split(',')),
      formOf: this.#formFor(asked, id),
      bridge: this.#bridge,
      queueMax: messageQueueSize,
      frameBytesMax: maxFrameBytes,
    });
    this.#pages.add(page);
    webSocket.on('close', () => this.#pages.delete(page));
  }

  /** A page that says which form it reads gets that one; for all others the roll-out decides. */
  #formFor(asked: URLSearchParams, id: string): (type: string) => PageForm {
    const form = asked.get('form');
    if (form === 'event' || form === 'legacy') return () => form;
    const { rollout } = this.#bridge;
    const isDrawn = rollout.draws((asked.get('client') ?? id).slice(0, NAME_CHARACTERS_MAX));
    return (type) => rollout.formOf(type, isDrawn);
  }

  #turnAway(webSocket: WebSocket, refusal: Refusal): void {
    this.#count(refusal);
    this.#turnedAway++;
    const { timers } = this.#settings.runtime;
    const cancel = timers.after(CLOSE_MS, () => webSocket.terminate());
    webSocket.on('error', () => {});
    webSocket.on('close', () => {
      this.#turnedAway--;
      cancel();
    });
    webSocket.close(TRY_AGAIN, refusal.detail);
  }

  #count(refusal: Refusal): void {
    this.#counts.refused++;
    if (refusal === CROWDED) this.#counts.crowded++;
  }

  #newId(): string {
    const bytes = Buffer.alloc(9);
    this.#settings.runtime.chance.fill(bytes);
    return bytes.toString('base64url');
  }

  /** One timer for all pages. */
  readonly #look = (): void => {
    for (const page of this.#pages) if (!page.look()) this.#counts.stale++;
    this.#cancelLook = this.#settings.runtime.timers.after(this.#settings.heartbeatInterval, this.#look);
  };
}

/** The types of ws that exist do not know all of its options. */
interface UntypedOptions {
  readonly closeTimeout: number;
  readonly maxFragments: number;
}

function serverOptions({ maxFrameBytes, enableCompression }: BrowserSettings): ServerOptions & UntypedOptions {
  return {
    noServer: true,
    clientTracking: false,
    // Pongs are sent by the connection, which knows whether the page reads them.
    autoPong: false,
    maxPayload: maxFrameBytes,
    maxFragments: FRAGMENTS_MAX,
    closeTimeout: CLOSE_MS,
    perMessageDeflate: enableCompression ? COMPRESSION : false,
    handleProtocols: (offered) => (offered.has(PAGE_PROTOCOL) ? PAGE_PROTOCOL : false),
  };
}

function assertEvents(given: EventsForPages | undefined): void {
  const bus = given as Partial<PageSource & BusForPages> | null | undefined;
  const events = bus?.eventManager ?? bus;
  if (typeof events?.stream !== 'function')
    throw new TypeError('subscribeToEventBus takes an EventBus or an event manager.');
}

/** Of its own it has nothing to show but the WebSocket. */
function ownServer(): Server {
  return createServer((_request, response) => {
    response.writeHead(426, { upgrade: 'websocket', 'content-type': 'application/problem+json' });
    response.end(JSON.stringify({ code: 'upgrade_required', detail: 'This address speaks WebSocket.', status: 426 }));
  });
}

async function listen(server: Server, { port, host }: BrowserSettings): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * The socket of one page.
 *
 *     beginning ──its stream is open──▶ catching up ──at the end of the log──▶ live
 *         │                                  ▲              (from: a cursor)    │
 *         │                                  └─────────────────────────────────┘
 *         └──lost, stale, closed──▶ closed ◀── from each of them
 *
 * `beginning`: nothing is read of the page; `hello` is the first frame, with the cursor from where everything will come.
 * `catching up`: the log is read as fast as the page takes it. Nothing is shed: who asks for the past wants all of it.
 * `live`: what happens is queued as it happens, up to a bound, and beyond it the least urgent gives way, which is told.
 * In both, events come in the order of the log, and each carries the cursor from which a later connection misses nothing.
 * `closed`: the stream is closed; the page owes and is owed nothing. What it got up to its last cursor it never gets again.
 */
import {
  decodeCursor,
  EventManagerError,
  isEventManagerError,
  type Runtime,
  type StreamedEvent,
  type StreamedGap,
} from '@event-manager/core';
import type { WebSocket } from 'ws';
import type { BrowserCounts } from './browser-counts.ts';
import { LogFollower, type PageSource } from './log-follower.ts';
import { PageOutbox } from './page-outbox.ts';
import { type PageFrame, readPageFrame } from './read-page-frame.ts';
import type { PageForm } from './rollout.ts';
import { Selection } from './selection.ts';
import type { WebSocketEventBridge } from './web-socket-event-bridge.ts';

export const PAGE_PROTOCOL = 'event-manager.page.v1';

/** Whoever sends so many frames that nobody can read speaks another language. */
const UNREADABLE_MAX = 10;
/** For the answer to a close frame. */
const CLOSE_MS = 1_000;

const GOING_AWAY = 1_001;
const POLICY = 1_008;
const INTERNAL = 1_011;
const TRY_AGAIN = 1_013;

export interface PageConnectionOptions {
  readonly id: string;
  readonly webSocket: WebSocket;
  readonly events: PageSource;
  readonly topics: readonly string[];
  /** A cursor; everything from now on when absent. */
  readonly from: string | undefined;
  /** What it wants from the start; everything when there are none. */
  readonly eventTypes: readonly string[];
  /** In which form it gets events of a type. */
  readonly formOf: (type: string) => PageForm;
  readonly bridge: WebSocketEventBridge;
  readonly queueMax: number;
  readonly frameBytesMax: number;
  readonly counts: BrowserCounts;
  readonly runtime: Runtime;
  readonly onFailure: (error: unknown) => void;
}

export class PageConnection {
  readonly #options: PageConnectionOptions;
  readonly #selection = new Selection();
  readonly #outbox: PageOutbox;
  readonly #follower: LogFollower;
  /** It gave a sign of life since the last look. */
  #hasSaid = true;
  #isClosed = false;
  #unreadable = 0;
  #turn: Promise<void>;

  constructor(options: PageConnectionOptions) {
    const { webSocket, events, topics, runtime } = options;
    this.#options = options;
    this.#outbox = new PageOutbox({ ...options, onOverrun: () => this.#close(TRY_AGAIN, 'Too much waits for you.') });
    this.#follower = new LogFollower({
      ...{ events, topics, timers: runtime.timers },
      take: (frame) => this.#take(frame),
      room: () => (this.#outbox.isAhead ? this.#outbox.room() : undefined),
      onEnd: () => this.#close(GOING_AWAY, 'The server stops.'),
      onFailure: (error) => this.#fail(error),
    });
    webSocket.on('message', (data: Buffer, isBinary: boolean) => this.#hear(data, isBinary));
    webSocket.on('pong', () => this.#said());
    webSocket.on('ping', (data: Buffer) => {
      this.#said();
      this.#outbox.pong(data);
    });
    webSocket.on('close', () => this.#end());
    // What is wrong with a frame ws answers with a close frame; a broken connection is followed by `close`.
    webSocket.on('error', () => {});
    this.#turn = Promise.resolve();
    this.#unheard(() => this.#begin());
  }

  get queued(): number {
    return this.#outbox.queued;
  }

  /** A look, once each heartbeat. False when the page has not given a sign of life since the last one. */
  look(): boolean {
    if (this.#isClosed) return true;
    const { webSocket } = this.#options;
    const makesProgress = this.#outbox.takeProgress();
    if (!this.#hasSaid && !makesProgress) {
      webSocket.terminate();
      return false;
    }
    this.#hasSaid = false;
    webSocket.ping();
    const { cursor } = this.#follower;
    if (cursor !== undefined) this.#outbox.tellCursor(cursor);
    return true;
  }

  /** Sends what waits, for `drainMs` at most, and says goodbye. Resolves when the socket is closed. */
  async close(drainMs: number): Promise<void> {
    if (this.#isClosed) return;
    const { webSocket, runtime } = this.#options;
    this.#follower.close();
    const closed = new Promise<void>((resolve) => webSocket.once('close', () => resolve()));
    await new Promise<void>((resolve) => {
      const cancel = runtime.timers.after(drainMs, resolve, true);
      this.#outbox.whenEmpty(() => {
        cancel();
        resolve();
      });
    });
    this.#close(GOING_AWAY, 'The server stops.');
    await closed;
  }

  /** Does this after what is under way, and reads nothing of the page meanwhile. */
  #unheard(work: () => Promise<void>): void {
    const { webSocket } = this.#options;
    webSocket.pause();
    this.#turn = this.#turn.then(work).catch((error) => this.#fail(error));
    void this.#turn.then(() => webSocket.resume());
  }

  async #begin(): Promise<void> {
    const { id, from, queueMax, frameBytesMax, counts } = this.#options;
    const unreadable = this.#selectFirst();
    const { stream, refused } = await this.#follower.open(from ?? 'latest');
    if (this.#isClosed) {
      stream.close();
      return;
    }
    const { cursor } = stream;
    this.#outbox.beginAt(cursor);
    const limits = { frameBytesMax, messageQueueSize: queueMax };
    const wanted = this.#selection.told;
    this.#outbox.answer({ type: 'hello', protocol: PAGE_PROTOCOL, connection: id, cursor, ...wanted, limits });
    for (const error of [unreadable, refused]) if (error) this.#refuse(error, undefined);
    const isBehind = from !== undefined && !refused;
    if (isBehind) counts.resumed++;
    await this.#follower.follow(stream, isBehind);
  }

  /** Said in the address, it holds before the first event: a page that comes back would get everything until its first frame. */
  #selectFirst(): unknown {
    const { eventTypes } = this.#options;
    try {
      if (eventTypes.length > 0) this.#selection.subscribe(eventTypes);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #take(frame: StreamedEvent | StreamedGap): void {
    const { bridge, formOf, counts } = this.#options;
    // It said goodbye: its end is a moment away.
    if (!this.#outbox.isOpen) return;
    const { cursor } = frame;
    if (frame.kind === 'gap') {
      counts.gaps++;
      const bytes = Buffer.from(JSON.stringify({ type: 'gap', stream: 'types', cursor, cause: frame.cause }));
      this.#outbox.push({ bytes, cursor, lane: undefined });
      return;
    }
    const { event } = frame;
    const { status, shown, type, lane, bytes } = bridge.bridge(event, cursor, formOf(event.type));
    if (status !== 'hidden' && this.#selection.wants(shown, type)) this.#outbox.push({ bytes, cursor, lane });
  }

  #said(): void {
    this.#hasSaid = true;
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.#said();
    if (this.#isClosed) return;
    try {
      if (isBinary) throw new EventManagerError('invalid_request', 'A frame is JSON text.', { pointer: '' });
      this.#perform(readPageFrame(data.toString('utf8')));
    } catch (error) {
      this.#refuse(error, undefined);
    }
  }

  #perform(frame: PageFrame): void {
    if (frame.type === 'ping') {
      this.#outbox.answer({ type: 'pong' });
      return;
    }
    const ref = frame.ref === undefined ? {} : { ref: frame.ref };
    try {
      if (frame.type === 'subscribe' && frame.from !== undefined) assertPlace(frame.from);
      this.#selection[frame.type](frame.eventTypes);
    } catch (error) {
      this.#refuse(error, frame.ref);
      return;
    }
    this.#outbox.answer({ type: 'subscribed', ...ref, ...this.#selection.told });
    if (frame.type === 'subscribe' && frame.from !== undefined) this.#goBackTo(frame.from);
  }

  /** What waited comes again from there. */
  #goBackTo(from: string): void {
    this.#options.counts.resumed++;
    this.#follower.close();
    this.#unheard(async () => {
      const { stream } = await this.#follower.open(from);
      if (this.#isClosed) {
        stream.close();
        return;
      }
      this.#outbox.beginAt(stream.cursor);
      await this.#follower.follow(stream, true);
    });
  }

  #refuse(thrown: unknown, ref: string | number | undefined): void {
    this.#options.counts.framesRefused++;
    if (!isEventManagerError(thrown)) {
      this.#fail(thrown);
      return;
    }
    const { code, message: detail, retryable, details } = thrown;
    const { pointer } = details;
    const error = { code, detail, retryable, ...(pointer === undefined ? {} : { pointer }) };
    this.#outbox.answer({ type: 'error', ...(ref === undefined ? {} : { ref }), error });
    if (ref === undefined && ++this.#unreadable >= UNREADABLE_MAX)
      this.#close(POLICY, 'Too many frames cannot be read.');
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    // The log is being closed with the program: the page comes again.
    if (isEventManagerError(error, 'closed')) {
      this.#close(GOING_AWAY, 'The server stops.');
      return;
    }
    this.#options.onFailure(error);
    this.#close(INTERNAL, 'Something failed here.');
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed) return;
    const { webSocket, runtime } = this.#options;
    webSocket.close(code, reason);
    runtime.timers.after(CLOSE_MS, () => webSocket.terminate());
    // It has to be read for its answer to the goodbye.
    webSocket.resume();
    this.#end();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#follower.close();
    this.#outbox.close();
  }
}

/** Throws `invalid_cursor` for what is neither a cursor nor an end of the log. */
function assertPlace(from: string): void {
  if (from !== 'earliest' && from !== 'latest') decodeCursor(from, '/from');
}

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
  type EventManager,
  EventManagerError,
  isEventManagerError,
  type Runtime,
  type StreamedEvent,
  type StreamedGap,
  type StreamReader,
} from '@event-manager/core';
import type { WebSocket } from 'ws';
import type { BrowserCounts } from './browser-counts.ts';
import { PageQueue } from './page-queue.ts';
import { type PageFrame, readPageFrame } from './read-page-frame.ts';
import type { PageForm } from './rollout.ts';
import { Selection } from './selection.ts';
import type { WebSocketEventBridge } from './web-socket-event-bridge.ts';

export const PAGE_PROTOCOL = 'event-manager.page.v1';

/** So much is handed to the socket before anybody looks whether it leaves. */
const UNSENT_BYTES_MAX = 64 * 1_024;
/** Answers and pongs come on top of that; a page that asks and never reads is cut here. */
const ANSWERS_BYTES_MAX = 1_024 * 1_024;
/** While catching up no more is read than this. */
const AHEAD_MAX = 64;
/** Whoever sends so many frames that nobody can read speaks another language. */
const UNREADABLE_MAX = 10;
/** While the store is away. */
const READ_AGAIN_MS = 500;
/** For the answer to a close frame. */
const CLOSE_MS = 1_000;
const TEXT = { binary: false };

const GOING_AWAY = 1_001;
const POLICY = 1_008;
const INTERNAL = 1_011;
const TRY_AGAIN = 1_013;

export type PageSource = Pick<EventManager, 'stream'>;

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
  readonly #queue: PageQueue;
  #stream: StreamReader | undefined;
  /** Up to here the page has everything that was not shed. */
  #sent = '';
  #isCatchingUp = false;
  #isAlive = true;
  #isClosed = false;
  #unreadable = 0;
  #onRoom: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;
  #turn: Promise<void>;

  constructor(options: PageConnectionOptions) {
    const { webSocket, queueMax, from } = options;
    this.#options = options;
    this.#queue = new PageQueue(queueMax);
    webSocket.on('message', (data: Buffer, isBinary: boolean) => this.#hear(data, isBinary));
    webSocket.on('pong', () => this.#heard());
    webSocket.on('ping', (data: Buffer) => this.#pinged(data));
    webSocket.on('close', () => this.#end());
    // What is wrong with a frame ws answers with a close frame; a broken connection is followed by `close`.
    webSocket.on('error', () => {});
    webSocket.pause();
    this.#turn = this.#begin(from).catch((error) => this.#fail(error));
    void this.#turn.then(() => webSocket.resume());
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** A look, once each heartbeat. False when the page has not given a sign of life since the last one. */
  look(): boolean {
    if (this.#isClosed) return true;
    if (!this.#isAlive) {
      this.#options.webSocket.terminate();
      return false;
    }
    this.#isAlive = false;
    this.#options.webSocket.ping();
    this.#tellCursor();
    return true;
  }

  /** Sends what waits, for `drainMs` at most, and says goodbye. Resolves when the socket is closed. */
  async close(drainMs: number): Promise<void> {
    if (this.#isClosed) return;
    const { webSocket, runtime } = this.#options;
    this.#stream?.close();
    this.#stream = undefined;
    const closed = new Promise<void>((resolve) => webSocket.once('close', () => resolve()));
    await new Promise<void>((resolve) => {
      const cancel = runtime.timers.after(drainMs, resolve, true);
      this.#onEmpty = () => {
        cancel();
        resolve();
      };
      this.#flush();
    });
    this.#close(GOING_AWAY, 'The server stops.');
    await closed;
  }

  async #begin(from: string | undefined): Promise<void> {
    const { id, queueMax, frameBytesMax, counts } = this.#options;
    const unreadable = this.#selectFirst();
    const { stream, refused } = await this.#open(from);
    if (this.#isClosed) {
      stream.close();
      return;
    }
    this.#sent = stream.cursor;
    const limits = { frameBytesMax, messageQueueSize: queueMax };
    const wanted = this.#selection.told;
    this.#answer({ type: 'hello', protocol: PAGE_PROTOCOL, connection: id, cursor: stream.cursor, ...wanted, limits });
    for (const error of [unreadable, refused]) if (error) this.#refuse(error, undefined);
    if (from !== undefined && !refused) counts.resumed++;
    await this.#follow(stream, from !== undefined && !refused);
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

  /** A cursor that nobody made would be sent again by each reconnect: the page is told, and goes on from here. */
  async #open(from: string | undefined): Promise<{ stream: StreamReader; refused?: EventManagerError }> {
    const { events, topics } = this.#options;
    try {
      return { stream: await events.stream({ topics, from: from ?? 'latest' }) };
    } catch (error) {
      if (!isEventManagerError(error, 'invalid_cursor')) throw error;
      return { stream: await events.stream({ topics, from: 'latest' }), refused: error };
    }
  }

  /** Resolves when it is known whether there is something to catch up with; goes on by itself. */
  async #follow(stream: StreamReader, isBehind: boolean): Promise<void> {
    this.#stream = stream;
    let goal = isBehind ? await this.#endBeyond(stream) : undefined;
    this.#isCatchingUp = goal !== undefined;
    const run = async () => {
      while (this.#stream === stream) {
        const frames = await this.#next(stream);
        if (frames.length === 0) {
          // Not by us: the log is being closed with the program.
          if (this.#stream === stream) this.#close(GOING_AWAY, 'The server stops.');
          return;
        }
        for (const frame of frames) {
          if (goal !== undefined && this.#queue.size >= AHEAD_MAX) await this.#room();
          if (this.#stream !== stream) return;
          this.#take(frame);
        }
        if (goal !== undefined && isReached(stream.cursor, goal)) goal = await this.#endBeyond(stream);
        this.#isCatchingUp = goal !== undefined;
      }
    };
    run().catch((error) => this.#fail(error));
  }

  /** The end of the log, where the stream is not there yet. */
  async #endBeyond(stream: StreamReader): Promise<string | undefined> {
    const { events, topics } = this.#options;
    const probe = await events.stream({ topics, from: 'latest' });
    probe.close();
    return isReached(stream.cursor, probe.cursor) ? undefined : probe.cursor;
  }

  async #next(stream: StreamReader): Promise<readonly (StreamedEvent | StreamedGap)[]> {
    for (;;) {
      try {
        return await stream.next();
      } catch (error) {
        // What it looked for is read again, so nothing is passed over while the store is away.
        if (!isEventManagerError(error, 'store_unavailable') || this.#isClosed) throw error;
      }
      await new Promise<void>((resolve) => this.#options.runtime.timers.after(READ_AGAIN_MS, resolve));
    }
  }

  #take(frame: StreamedEvent | StreamedGap): void {
    const { bridge, formOf, counts } = this.#options;
    // It said goodbye: its end is a moment away.
    if (!this.#isOpen()) return;
    const { cursor } = frame;
    if (frame.kind === 'gap') {
      counts.gaps++;
      const bytes = Buffer.from(JSON.stringify({ type: 'gap', stream: 'types', cursor, cause: frame.cause }));
      this.#queue.push({ bytes, cursor, lane: undefined }, this.#sent);
    } else {
      const { event } = frame;
      const { status, shown, type, lane, bytes } = bridge.bridge(event, cursor, formOf(event.type));
      if (status === 'hidden' || !this.#selection.wants(shown, type)) return;
      const shed = this.#queue.push({ bytes, cursor, lane }, this.#sent);
      if (shed !== undefined) counts.shed[shed]++;
    }
    this.#flush();
  }

  readonly #flush = (): void => {
    const { webSocket, counts } = this.#options;
    while (this.#isOpen() && webSocket.bufferedAmount < UNSENT_BYTES_MAX) {
      const shed = this.#queue.takeShed();
      if (shed) this.#answer({ type: 'shed', ...shed });
      const next = this.#queue.shift();
      if (!next) break;
      this.#sent = next.cursor;
      if (next.lane !== undefined) counts.eventsSent++;
      counts.bytesSent += next.bytes.length;
      webSocket.send(next.bytes, TEXT, this.#onTaken);
    }
    if (this.#queue.size < AHEAD_MAX) this.#onRoom?.();
    if (this.#queue.size === 0) this.#onEmpty?.();
  };

  readonly #onTaken = (error?: Error | null): void => {
    if (error) return;
    this.#heard();
    if (this.#queue.size > 0) this.#flush();
  };

  async #room(): Promise<void> {
    while (this.#queue.size >= AHEAD_MAX && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
  }

  /** Moves the page on where nothing was for it, so that its next connection does not read that again. */
  #tellCursor(): void {
    const cursor = this.#stream?.cursor;
    if (cursor === undefined || cursor === this.#sent || this.#isCatchingUp || this.#queue.size > 0) return;
    this.#sent = cursor;
    this.#answer({ type: 'cursor', stream: 'types', cursor });
  }

  #heard(): void {
    this.#isAlive = true;
  }

  #pinged(data: Buffer): void {
    this.#heard();
    if (this.#mayAnswer()) this.#options.webSocket.pong(data);
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.#heard();
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
      this.#answer({ type: 'pong' });
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
    this.#answer({ type: 'subscribed', ...ref, ...this.#selection.told });
    if (frame.type === 'subscribe' && frame.from !== undefined) this.#goBackTo(frame.from);
  }

  /** What waited comes again from there. */
  #goBackTo(cursor: string): void {
    const { webSocket, counts } = this.#options;
    this.#stream?.close();
    this.#stream = undefined;
    this.#queue.clear();
    counts.resumed++;
    webSocket.pause();
    const again = async () => {
      const { stream } = await this.#open(cursor);
      if (this.#isClosed) {
        stream.close();
        return;
      }
      this.#sent = stream.cursor;
      await this.#follow(stream, true);
    };
    this.#turn = this.#turn.then(again).catch((error) => this.#fail(error));
    void this.#turn.then(() => webSocket.resume());
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
    this.#answer({ type: 'error', ...(ref === undefined ? {} : { ref }), error });
    if (ref === undefined && ++this.#unreadable >= UNREADABLE_MAX)
      this.#close(POLICY, 'Too many frames cannot be read.');
  }

  #answer(frame: object): void {
    if (!this.#mayAnswer()) return;
    const text = JSON.stringify(frame);
    this.#options.counts.bytesSent += Buffer.byteLength(text);
    this.#options.webSocket.send(text, this.#onTaken);
  }

  #mayAnswer(): boolean {
    const { webSocket } = this.#options;
    if (!this.#isOpen()) return false;
    if (webSocket.bufferedAmount <= ANSWERS_BYTES_MAX) return true;
    this.#close(TRY_AGAIN, 'Too much waits for you.');
    return false;
  }

  #isOpen(): boolean {
    const { webSocket } = this.#options;
    return !this.#isClosed && webSocket.readyState === webSocket.OPEN;
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
    this.#stream?.close();
    this.#stream = undefined;
    this.#queue.clear();
    this.#onRoom?.();
    this.#onEmpty?.();
  }
}

/** Throws `invalid_cursor` for what is neither a cursor nor an end of the log. */
function assertPlace(from: string): void {
  if (from !== 'earliest' && from !== 'latest') decodeCursor(from, '/from');
}

function isReached(cursor: string, goal: string): boolean {
  const here = decodeCursor(cursor);
  return decodeCursor(goal).every(
    ({ partition, position }) => (here.find((place) => place.partition === partition)?.position ?? 0) >= position,
  );
}

/**
 * One WebSocket connection.
 *
 *     open ──drain──▶ draining ──everything answered──▶ closing ──▶ closed
 *      └──close frame, lost, cut──────────────────────────────────▶ closed
 *
 * `open`: frames are read in the order they come, and no further while `windowEvents` are unanswered or the outbox is full.
 * `draining`: the service stops. Answers to deliveries are taken, everything new is refused with `not_ready`.
 * `closed`: streams are closed, named subscriptions detached, unnamed ones ended; what was under way is released at once and
 * costs no failure. Answers that come later go nowhere: the client asks again under the same event ids.
 */
import type { Socket } from 'node:net';
import { type Cancel, EventManagerError, isEventManagerError, type Runtime, type Turns } from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import type { Configuration } from '../../configuration/settings.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import type { ClientFrame, Ref } from './client-frame.ts';
import { cursorFrame } from './event-types.ts';
import { Heartbeat } from './heartbeat.ts';
import { Intake } from './intake.ts';
import { frameBytesMax, pendingBytesMax } from './limits.ts';
import { Outbox } from './outbox.ts';
import { Publishes } from './publishes.ts';
import { readFrame, UnreadableFrame } from './read-frame.ts';
import { Requests } from './requests.ts';
import { Streams } from './streams.ts';
import { Subscriptions } from './subscriptions.ts';
import { wireError } from './wire-error.ts';

export const PROTOCOL = 'event-manager.v1';
/** That of live pages: everything comes until the page says what it wants. */
export const PAGE_PROTOCOL = 'event-manager.page.v1';

/** Whoever sends so many frames that nobody can read speaks another language. */
const UNREADABLE_MAX = 10;
/** For answers to deliveries when the service stops. */
const DRAIN_MS = 1_000;

const POLICY = 1008;
/** Of a client: a frame was larger than it takes. */
const TOO_LARGE = 1009;
const INTERNAL = 1011;
const RESTART = 1012;
const TRY_AGAIN = 1013;

export interface ConnectionOptions {
  readonly id: string;
  readonly webSocket: WebSocket;
  readonly socket: Socket;
  readonly context: OperationContext;
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly turns: Turns;
  /** Of the clock of the looks. */
  readonly nowMs: number;
  readonly logger: FastifyBaseLogger;
  readonly page: PageRequest;
}

/** What a page says in the address, because it can say it nowhere else while it connects. */
export interface PageRequest {
  /** From where it goes on. */
  readonly cursor?: string | undefined;
  /** What it wants from the first event on. */
  readonly eventTypes?: readonly string[] | undefined;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #outbox: Outbox;
  readonly #publishes: Publishes;
  readonly #heartbeat: Heartbeat;
  readonly #streams: Streams;
  readonly #subscriptions: Subscriptions;
  readonly #requests: Requests;
  readonly #intake: Intake;
  #state: 'open' | 'draining' | 'closing' | 'closed' = 'open';
  /** Its peer broke the protocol, or the network the connection. */
  #isBroken = false;
  #unanswered = 0;
  #unreadable = 0;
  /** Bytes read from the socket when the last whole frame came. */
  #readAtFrame: number;
  #onAnswered: (() => void) | undefined;
  #cancelCut: Cancel | undefined;

  constructor(options: ConnectionOptions) {
    const { webSocket, socket, context, configuration, runtime, turns } = options;
    const { clock, timers } = runtime;
    this.#options = options;
    this.#readAtFrame = socket.bytesRead;
    const onFailure = (error: unknown) => this.#log(error);
    this.#outbox = new Outbox({
      webSocket,
      socket,
      pendingBytesMax: pendingBytesMax(configuration),
      onOverrun: () => this.#cut('Too much waits for you.'),
      onFree: () => this.#intake.goOn(),
    });
    this.#publishes = new Publishes({
      context,
      answer: (json) => this.#outbox.answer(json),
      onAnswered: (count) => this.#answered(count),
      onInternal: onFailure,
    });
    this.#heartbeat = new Heartbeat(() => webSocket.ping(), configuration.wsHeartbeatMs, options.nowMs);
    this.#streams = new Streams({
      context,
      outbox: this.#outbox,
      pump: { timers, turns, heartbeatMs: configuration.wsHeartbeatMs },
      // It may change while the connection is open.
      streamsMax: () => configuration.streamsMax,
      onFailure: (error) => this.#streamFailed(error),
    });
    const { id } = options;
    this.#subscriptions = new Subscriptions({
      ...{ id, context, outbox: this.#outbox, clock, timers, onFailure },
      onLost: () => this.#lost(),
    });
    this.#requests = new Requests({
      context,
      outbox: this.#outbox,
      streams: this.#streams,
      subscriptions: this.#subscriptions,
      send: (frame) => this.#send(frame),
    });
    this.#intake = new Intake({
      webSocket,
      read: (frame) => this.#read(frame),
      mustWait: () => this.#unanswered >= configuration.wsWindowEvents || this.#outbox.isFull,
    });
    webSocket.on('message', (data: Buffer, isBinary: boolean) => this.#take(data, isBinary));
    webSocket.on('ping', (data: Buffer) => this.#pinged(data));
    webSocket.on('pong', () => this.#heartbeat.heard());
    webSocket.on('close', (code) => this.#closed(code));
    // What is wrong with a frame of the peer ws answers with a close frame; a broken connection is followed by `close`.
    webSocket.on('error', () => {
      this.#isBroken = true;
    });
    this.#greet();
  }

  /** A look, about once a second. */
  tick(nowMs: number): void {
    if (this.#state === 'closed') return;
    if (this.#outbox.stalledMs(nowMs) >= this.#options.configuration.wsStallMs) {
      this.#cut('You take nothing.');
      return;
    }
    // While nothing is read here, nothing can be heard.
    if (this.#intake.isPaused) this.#heartbeat.heard();
    if (!this.#heartbeat.tick(nowMs, this.#outbox.isFull)) {
      this.#options.webSocket.terminate();
      return;
    }
    this.#subscriptions.tick();
  }

  /** What one holds that ends in any case is no reason to cut another. */
  get unreadBytes(): number {
    if (this.#state === 'closing' || this.#state === 'closed') return 0;
    return this.#options.socket.bytesRead - this.#readAtFrame;
  }

  cutUnread(): void {
    this.#cut('Too many frames are not whole.');
  }

  /** Answers what was read, leaves the subscriptions, and says goodbye. Resolves when nothing more is under way. */
  async drain(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#streams.closeAll();
    await this.#subscriptions.leaveAll(DRAIN_MS);
    if (this.#unanswered > 0) {
      await new Promise<void>((resolve) => {
        this.#onAnswered = resolve;
      });
    }
    this.#close(RESTART, 'The service restarts.');
  }

  /** Ends it now. */
  terminate(): void {
    this.#options.webSocket.terminate();
  }

  #greet(): void {
    const { id, context, configuration } = this.#options;
    const limits = {
      windowEvents: configuration.wsWindowEvents,
      frameBytesMax: frameBytesMax(configuration),
      pendingBytesMax: pendingBytesMax(configuration),
    };
    const isPage = this.#options.webSocket.protocol === PAGE_PROTOCOL;
    const protocol = isPage ? PAGE_PROTOCOL : PROTOCOL;
    this.#send({ type: 'hello', protocol, connection: id, durability: context.durability, limits });
    if (isPage) this.#request(undefined, this.#beginPage());
  }

  /** What cannot be read of the address would come again with each connection: the page is told, and goes on without it. */
  async #beginPage(): Promise<void> {
    let { cursor = 'latest', eventTypes } = this.#options.page;
    for (;;) {
      try {
        this.#outbox.send(cursorFrame(await this.#requests.begin(cursor, eventTypes)));
        return;
      } catch (error) {
        if (isEventManagerError(error, 'invalid_cursor')) cursor = 'latest';
        else if (isEventManagerError(error, 'invalid_pattern')) eventTypes = undefined;
        else throw error;
        this.#fail(undefined, error);
      }
    }
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#heartbeat.heard();
    this.#readAtFrame = this.#options.socket.bytesRead;
    if (this.#state === 'closing') return;
    if (isBinary) {
      this.#refuse(new UnreadableFrame(badRequest('A frame is JSON text.'), undefined));
      return;
    }
    this.#intake.take(data);
  }

  #read(data: Buffer): void {
    const frame = readFrame(data, this.#options.context.engine.limits);
    if (frame instanceof UnreadableFrame) this.#refuse(frame);
    else this.#handle(frame);
  }

  #handle(frame: ClientFrame): void {
    switch (frame.type) {
      case 'ack':
        this.#subscriptions.deliveries.ack(frame.deliveries);
        return;
      case 'nack':
        this.#subscriptions.deliveries.nack(frame);
        return;
      case 'release':
        this.#subscriptions.deliveries.release(frame.deliveries);
        return;
      case 'ping':
        this.#send({ type: 'pong' });
        return;
      case 'publish':
        if (this.#isOpen(frame.ref)) this.#publish(frame);
        return;
      default:
        if (this.#isOpen(frame.ref)) this.#request(frame.ref, this.#requests.perform(frame));
    }
  }

  #publish(frame: Extract<ClientFrame, { type: 'publish' }>): void {
    if ('events' in frame) {
      // A batch without events is answered, too.
      this.#unanswered += frame.events.length;
      this.#publishes.many(frame.ref, frame.events);
    } else {
      this.#unanswered++;
      this.#publishes.one(frame.ref, frame.event);
    }
  }

  /** A request takes a place in the window, too: a thousand subscriptions asked for at once are work, as events are. */
  #request(ref: Ref | undefined, performed: Promise<void>): void {
    this.#unanswered++;
    performed.catch((error: unknown) => this.#fail(ref, error)).finally(() => this.#answered(1));
  }

  #isOpen(ref: Ref | undefined): boolean {
    if (this.#state === 'open') return true;
    this.#fail(ref, new EventManagerError('not_ready', 'The service restarts.'));
    return false;
  }

  #answered(count: number): void {
    this.#unanswered -= count;
    if (this.#unanswered === 0) this.#onAnswered?.();
    this.#intake.goOn();
  }

  #fail(ref: Ref | undefined, thrown: unknown): void {
    const error = wireError(thrown);
    if (error.code === 'internal') this.#log(thrown);
    this.#send({ type: 'error', ...(ref === undefined ? {} : { ref }), error });
  }

  #refuse({ error, ref }: UnreadableFrame): void {
    this.#options.context.engine.countRejected(error.code);
    this.#fail(ref, error);
    // With a ref somebody waits for exactly this answer, and learns from it.
    if (ref === undefined && ++this.#unreadable >= UNREADABLE_MAX) this.#close(POLICY, 'Too many unreadable frames.');
  }

  #pinged(data: Buffer): void {
    if (!this.#heartbeat.pinged()) this.#close(POLICY, 'Too many pings.');
    else if (!this.#outbox.isFull && !this.#outbox.isClosed) this.#options.webSocket.pong(data);
  }

  #send(frame: object): void {
    this.#outbox.send(JSON.stringify(frame));
  }

  /** A stream that says nothing more looks like one on which nothing happens: its reader has to come back with its cursor. */
  #streamFailed(error: unknown): void {
    if (this.#state !== 'closed') this.#log(error);
    this.#close(INTERNAL, 'A stream failed.');
  }

  /** For a reader that does not read: it would not see a goodbye either, so what waits for it is thrown away. */
  #cut(reason: string): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#close(TRY_AGAIN, reason);
    const { webSocket, runtime } = this.#options;
    this.#cancelCut = runtime.timers.after(DRAIN_MS, () => webSocket.terminate());
  }

  #close(code: number, reason: string): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#state = 'closing';
    this.#options.webSocket.close(code, reason);
    this.#leave();
  }

  /** The peer has said goodbye, and its end is a moment away: what it has under way need not wait for that. */
  #lost(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#state = 'closing';
    this.#leave();
  }

  #closed(code: number): void {
    this.#cancelCut?.();
    // Released it would end the next connection, too, and every one after that. A peer whose own frame was too large says the same.
    if (code === TOO_LARGE && this.#state !== 'closing' && !this.#isBroken)
      this.#subscriptions.deliveries.refuseLargest();
    this.#leave();
    this.#state = 'closed';
  }

  #leave(): void {
    this.#intake.end();
    this.#outbox.closed();
    this.#streams.closeAll();
    this.#subscriptions.lost();
    this.#onAnswered?.();
  }

  #log(err: unknown): void {
    this.#options.logger.error({ err, connection: this.#options.id }, 'connection failed');
  }
}

function badRequest(words: string): EventManagerError {
  return new EventManagerError('invalid_request', words, { pointer: '' });
}

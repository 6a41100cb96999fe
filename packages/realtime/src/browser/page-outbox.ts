/**
 * What goes out to one page: events in the order of the log through a bounded queue, and answers beside it.
 *
 * So much is handed to the socket as it buffers anyway; the rest waits in the queue, where it can still give way. What gave way
 * is told before the next event that is sent.
 */
import type { WebSocket } from 'ws';
import type { BrowserCounts } from './browser-counts.ts';
import { PageQueue, type QueuedFrame } from './page-queue.ts';

/** So much is handed to the socket before anybody looks whether it leaves. */
const UNSENT_BYTES_MAX = 64 * 1_024;
/** Answers and pongs come on top of that; a page that asks and never reads is cut here. */
const ANSWERS_BYTES_MAX = 1_024 * 1_024;
/** Nobody who can wait queues more than this. */
const AHEAD_MAX = 64;
const TEXT = { binary: false };

export interface PageOutboxOptions {
  readonly webSocket: WebSocket;
  readonly queueMax: number;
  readonly counts: BrowserCounts;
  /** More answers wait than may. */
  readonly onOverrun: () => void;
}

export class PageOutbox {
  readonly #options: PageOutboxOptions;
  readonly #queue: PageQueue;
  /** Up to here the page has everything that was not shed. */
  #sent = '';
  #hasTaken = false;
  #isClosed = false;
  #onRoom: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: PageOutboxOptions) {
    this.#options = options;
    this.#queue = new PageQueue(options.queueMax);
  }

  get queued(): number {
    return this.#queue.size;
  }

  get isOpen(): boolean {
    const { webSocket } = this.#options;
    return !this.#isClosed && webSocket.readyState === webSocket.OPEN;
  }

  get isAhead(): boolean {
    return this.#queue.size >= AHEAD_MAX;
  }

  /**
   * Since it was asked last: something left, and more waits. Where nothing waits here, what left says nothing of the page: the
   * kernel takes bytes for one that is gone as well.
   */
  takeProgress(): boolean {
    const hasTaken = this.#hasTaken && this.#options.webSocket.bufferedAmount > 0;
    this.#hasTaken = false;
    return hasTaken;
  }

  /** What comes from now on follows this cursor; what waits will come again. */
  beginAt(cursor: string): void {
    this.#queue.clear();
    this.#sent = cursor;
  }

  /** Something of the log. Where there is no room for it, it or what is less urgent is counted and told. */
  push(frame: QueuedFrame): void {
    for (const lane of this.#queue.push(frame, this.#sent)) this.#options.counts.shed[lane]++;
    this.#flush();
  }

  /** Moves the page on to where nothing was for it, so that its next connection does not read that again. */
  tellCursor(cursor: string): void {
    if (cursor === this.#sent || this.#queue.size > 0) return;
    this.#sent = cursor;
    this.answer({ type: 'cursor', stream: 'types', cursor });
  }

  answer(frame: object): void {
    if (!this.#mayAnswer()) return;
    const text = JSON.stringify(frame);
    this.#options.counts.bytesSent += Buffer.byteLength(text);
    this.#options.webSocket.send(text, this.#onTaken);
  }

  pong(data: Buffer): void {
    if (this.#mayAnswer()) this.#options.webSocket.pong(data);
  }

  /** Resolves when little waits, or it is closed. */
  async room(): Promise<void> {
    while (this.isAhead && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
    }
  }

  /** Calls `done` once when everything was handed to the socket, or it is closed. */
  whenEmpty(done: () => void): void {
    this.#onEmpty = done;
    this.#flush();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
    this.#onRoom?.();
    this.#onEmpty?.();
  }

  readonly #flush = (): void => {
    const { webSocket, counts } = this.#options;
    while (this.isOpen && webSocket.bufferedAmount < UNSENT_BYTES_MAX) {
      const shed = this.#queue.takeShed();
      if (shed) this.answer({ type: 'shed', ...shed });
      const next = this.#queue.shift();
      if (!next) break;
      this.#sent = next.cursor;
      if (next.lane !== undefined) counts.eventsSent++;
      counts.bytesSent += next.bytes.length;
      webSocket.send(next.bytes, TEXT, this.#onTaken);
    }
    if (!this.isAhead) this.#onRoom?.();
    if (this.#queue.size === 0) this.#onEmpty?.();
  };

  readonly #onTaken = (error?: Error | null): void => {
    if (error) return;
    this.#hasTaken = true;
    if (this.#queue.size > 0) this.#flush();
  };

  #mayAnswer(): boolean {
    if (!this.isOpen) return false;
    if (this.#options.webSocket.bufferedAmount <= ANSWERS_BYTES_MAX) return true;
    this.#options.onOverrun();
    return false;
  }
}

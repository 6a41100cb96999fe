/**
 * What goes out of one connection.
 *
 *     free ──a frame beyond the mark──▶ full ──the socket took every such frame──▶ free
 *                                        └──nothing taken for wsStallMs, or too much waiting──▶ given up
 *
 * While it is full, streams and subscriptions hand over nothing and the connection reads nothing: their queue is the log, the
 * client's is its own. Answers to what was read before are all that may still come, so what waits stays near the mark.
 * What is written in one turn of the event loop leaves in one system call.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { BUFFERED_BYTES_MAX } from '../stream-pump.ts';

const TEXT = { binary: false };

export interface OutboxOptions {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly pendingBytesMax: number;
  /** More waits for the reader than it may. */
  readonly onOverrun: () => void;
  /** It was full and is not any more. */
  readonly onFree: () => void;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #markBytes: number;
  #answers: string[] = [];
  #beyondMark = 0;
  /** Since the last look. */
  #hasTaken = false;
  #stalledSinceMs = 0;
  #isCorked = false;
  #waiting: ((isFree: boolean) => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#markBytes = Math.min(BUFFERED_BYTES_MAX, options.pendingBytesMax);
  }

  get isFull(): boolean {
    return this.#beyondMark > 0;
  }

  get isClosed(): boolean {
    const { webSocket } = this.#options;
    return webSocket.readyState !== webSocket.OPEN;
  }

  /** A look: for how long, counted in looks, the reader has taken nothing of what waits for it. */
  stalledMs(nowMs: number): number {
    if (!this.isFull || this.#hasTaken) this.#stalledSinceMs = nowMs;
    this.#hasTaken = false;
    return nowMs - this.#stalledSinceMs;
  }

  send(frame: string | Uint8Array): void {
    const { webSocket, pendingBytesMax, onOverrun } = this.#options;
    if (this.isClosed) return;
    const waiting = webSocket.bufferedAmount;
    // What waits before this frame: one frame always has room, however large an event is allowed to be.
    if (this.isFull && waiting > pendingBytesMax) {
      onOverrun();
      return;
    }
    this.#cork();
    if (waiting + frame.length <= this.#markBytes) {
      webSocket.send(frame, TEXT);
      return;
    }
    if (this.#beyondMark++ === 0) this.#hasTaken = true;
    webSocket.send(frame, TEXT, this.#onTaken);
  }

  /** Adds an answer to a publish, in JSON; those of one turn share a frame. */
  answer(json: string): void {
    this.#answers.push(json);
    // Everything that one group of the store answers is in the queue of microtasks before this.
    if (this.#answers.length === 1) queueMicrotask(this.#sendAnswers);
  }

  /** Resolves with true when nothing waits beyond the mark, with false when the connection ends before. */
  drained(): Promise<boolean> {
    if (this.isClosed) return Promise.resolve(false);
    if (!this.isFull) return Promise.resolve(true);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  closed(): void {
    this.#wake(false);
  }

  readonly #sendAnswers = (): void => {
    const answers = this.#answers;
    this.#answers = [];
    this.send(`{"type":"published","answers":[${answers.join()}]}`);
  };

  readonly #onTaken = (): void => {
    this.#hasTaken = true;
    if (--this.#beyondMark > 0 || this.isClosed) return;
    this.#wake(true);
    this.#options.onFree();
  };

  #wake(isFree: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(isFree);
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#options.socket.cork();
    queueMicrotask(this.#uncork);
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#options.socket.uncork();
  };
}

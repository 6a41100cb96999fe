/**
 * A read of the log over the network.
 *
 *     opening ──streaming──▶ flowing ──more waits here than is good──▶ held ──taken──▶ opening
 *        ▲                     │ connection lost
 *        └─────────────────────┘             any ──close──▶ closed
 *
 * A browser's socket cannot be told to wait. So when the reader is slower than the service the stream is given up, and asked
 * for again behind the last frame that came, when its reader has taken what waits: the log is the queue.
 */
import type { StreamedEvent, StreamedGap, StreamReader } from '@event-manager/core';
import { EventManagerError, type JsonObject, type Runtime, reviveEvent } from '@event-manager/core/portable';
import type { Connection } from '../connection/connection.ts';
import type { AnswerFrame, StreamingFrame } from '../connection/frames.ts';
import type { Requests } from '../connection/requests.ts';
import { StandingRequest } from '../connection/standing-request.ts';

const WAITING_MAX = 1_024;
const NOBODY = { answered: () => {}, failed: () => {} };

export interface RemoteStreamOptions {
  /** Topics and filter. */
  readonly request: JsonObject;
  readonly from: string;
  readonly connection: Connection;
  readonly requests: Requests;
  readonly runtime: Runtime;
  readonly timeoutMs: number;
  readonly onFlowing: (stream: RemoteStream, name: string) => void;
  /** Frames of this name are not wanted any more. */
  readonly onHeld: (name: string) => void;
  readonly onClosed: (stream: RemoteStream) => void;
}

export class RemoteStream implements StreamReader {
  readonly #options: RemoteStreamOptions;
  readonly #standing: StandingRequest;
  #name: string | undefined;
  /** Behind everything that came. */
  #received: string;
  /** Behind everything that was taken. */
  #taken = '';
  #waiting: (StreamedEvent | StreamedGap)[] = [];
  #isHeld = false;
  #isClosed = false;
  #failure: EventManagerError | undefined;
  #wake: (() => void) | undefined;

  constructor(options: RemoteStreamOptions) {
    this.#options = options;
    this.#received = options.from;
    const { connection, requests, runtime, timeoutMs } = options;
    this.#standing = new StandingRequest({
      connection,
      requests,
      runtime,
      timeoutMs,
      frame: () => ({ type: 'stream', ...options.request, from: this.#received }),
      answered: (frame) => this.#flowing(frame),
      unwanted: (frame) => this.#unstream(frame),
      ended: (error) => this.#fail(error),
    });
  }

  get cursor(): string {
    return this.#taken;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Throws what the service says, `unreachable`. */
  async open(): Promise<this> {
    this.#standing.ask();
    try {
      await this.#standing.ready;
    } catch (error) {
      this.close();
      throw error;
    }
    return this;
  }

  async next(): Promise<readonly (StreamedEvent | StreamedGap)[]> {
    while (!this.#isClosed || this.#waiting.length > 0) {
      if (this.#waiting.length > 0) return this.#takeAll();
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure) throw this.#failure;
    return [];
  }

  close(): void {
    if (this.#isClosed) return;
    this.#waiting = [];
    this.#end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamedEvent | StreamedGap> {
    try {
      for (;;) {
        const frames = await this.next();
        if (frames.length === 0) return;
        yield* frames;
      }
    } finally {
      this.close();
    }
  }

  opened(): void {
    if (!this.#isHeld) this.#standing.ask();
  }

  lost(): void {
    this.#name = undefined;
    this.#standing.lost();
  }

  take(frame: StreamingFrame): void {
    const { cursor } = frame;
    this.#received = cursor;
    if (frame.type === 'cursor') {
      // Frames that wait stand before it.
      if (this.#waiting.length === 0) this.#taken = cursor;
      return;
    }
    this.#waiting.push(
      frame.type === 'gap'
        ? { kind: 'gap', cause: frame.cause, cursor }
        : { kind: 'event', event: reviveEvent(frame.event), cursor },
    );
    this.#advanced();
    if (this.#waiting.length >= WAITING_MAX) this.#hold();
  }

  /** Ends with an error that whoever reads is told, after what came before. */
  #fail(error: EventManagerError): void {
    this.#failure = error;
    this.#end();
  }

  fail(error: EventManagerError): void {
    if (!this.#isClosed) this.#fail(error);
  }

  #takeAll(): readonly (StreamedEvent | StreamedGap)[] {
    const frames = this.#waiting;
    this.#waiting = [];
    this.#taken = frames.at(-1)!.cursor;
    if (this.#isHeld) {
      this.#isHeld = false;
      this.#standing.ask();
    }
    return frames;
  }

  #flowing(frame: AnswerFrame): void {
    if (frame.type !== 'streaming') return;
    this.#name = frame.stream;
    this.#received = frame.cursor;
    if (this.#waiting.length === 0) this.#taken = frame.cursor;
    this.#options.onFlowing(this, frame.stream);
  }

  #hold(): void {
    const name = this.#name;
    if (name === undefined) return;
    this.#isHeld = true;
    this.#leave(name);
    this.#standing.pause();
  }

  #end(): void {
    const name = this.#name;
    this.#isClosed = true;
    this.#standing.stop(new EventManagerError('closed', 'The stream is closed.'));
    if (name !== undefined) this.#leave(name);
    this.#options.onClosed(this);
    this.#advanced();
  }

  #leave(name: string): void {
    this.#name = undefined;
    this.#options.onHeld(name);
    if (this.#options.connection.isOpen) this.#options.requests.ask({ type: 'unstream', stream: name }, NOBODY);
  }

  /** It was closed before the answer came. */
  #unstream(frame: AnswerFrame): void {
    if (frame.type === 'streaming') this.#options.requests.ask({ type: 'unstream', stream: frame.stream }, NOBODY);
  }

  #advanced(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

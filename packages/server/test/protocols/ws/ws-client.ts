import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: tests look into frames of every shape.
export type Frame = any;

/** A WebSocket that keeps every frame it gets, in text and parsed. Ends with the test. */
export class WsClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  /** Set when the connection has ended. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  #wake: (() => void)[] = [];
  #lastRef = 0;

  constructor(
    url: string,
    protocols: string[] = [],
    { search = '', ...options }: ClientOptions & { search?: string } = {},
  ) {
    this.socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws${search}`, protocols, options);
    this.socket.on('message', (data) => {
      this.texts.push(String(data));
      this.frames.push(JSON.parse(String(data)));
      this.#notify();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#notify();
    });
    this.socket.on('error', () => {});
    onTestFinished(() => this.socket.terminate());
  }

  /** Connects and waits for the greeting. */
  static async open(url: string, options: ClientOptions = {}): Promise<WsClient> {
    const client = new WsClient(url, ['event-manager.v1'], options);
    await client.until(({ frames }) => frames.length > 0);
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Sends a frame with a ref of its own and resolves with the answer to it. */
  async ask(frame: object): Promise<Frame> {
    const ref = ++this.#lastRef;
    this.send({ ref, ...frame });
    return this.answerTo(ref);
  }

  async answerTo(ref: string | number): Promise<Frame> {
    let found: Frame;
    const isAnswer = (frame: Frame) => {
      if (frame.type === 'published') return (found = frame.answers.find((answer: Frame) => answer.ref === ref));
      return frame.ref === ref && (found = frame);
    };
    await this.until(({ frames }) => frames.some(isAnswer));
    return found;
  }

  ofType(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  get deliveries(): Frame[] {
    return this.ofType('delivery').flatMap((frame) => frame.deliveries);
  }

  get events(): Frame[] {
    return this.ofType('event').map(({ event }) => event);
  }

  /** Resolves when the condition holds; fails when the connection ends before. */
  async until(isTrue: (client: this) => boolean): Promise<void> {
    while (!isTrue(this)) {
      if (this.closed) {
        throw new TypeError(`Closed with ${this.closed.code} after ${this.texts.slice(-3).join(' ')}`);
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async untilClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    while (!this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.closed;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.socket.close();
    await once(this.socket, 'close');
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: tests look into frames of every shape.
export type Frame = any;

/** A page as the server sees it: a WebSocket that keeps every frame it gets. Ends with the test. */
export class PageClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** The HTTP status of a connection that was not let in. */
  refused: number | undefined;
  #wake: (() => void)[] = [];

  constructor(url: string, options: ClientOptions & { readonly protocols?: string[] } = {}) {
    const { protocols = [], ...rest } = options;
    this.socket = new WebSocket(url, protocols, rest);
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)));
      this.#notify();
    });
    this.socket.on('unexpected-response', (request, response) => {
      this.refused = response.statusCode;
      request.destroy();
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
  static async open(url: string, options: ClientOptions = {}): Promise<PageClient> {
    const client = new PageClient(url, options);
    await client.until(() => client.frames.length > 0);
    return client;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Sends a frame and resolves with the next one of this type. */
  async ask(frame: unknown, type = 'subscribed'): Promise<Frame> {
    const before = this.ofType(type).length;
    this.send(frame);
    await this.until(() => this.ofType(type).length > before);
    return this.ofType(type).at(-1);
  }

  ofType(type: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  /** Types of the events that came. */
  get types(): string[] {
    return this.ofType('event').map(({ event }) => event.type);
  }

  /** The last cursor that it was told. */
  get cursor(): string {
    return this.frames.findLast(({ cursor }) => cursor !== undefined).cursor;
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.closed || this.refused !== undefined) {
        throw new TypeError(
          `Ended with ${this.closed?.code ?? this.refused} ${JSON.stringify(this.frames.slice(-2))}.`,
        );
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async untilOver(): Promise<{ readonly code: number; readonly reason: string }> {
    while (!this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.closed;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

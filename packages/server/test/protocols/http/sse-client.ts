import { type ClientRequest, get, type IncomingMessage } from 'node:http';

export interface SseFrame {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads server-sent events as HTML, section 9.2.6 says; keeps the last id as a browser would. */
export class SseClient {
  lastEventId = '';
  readonly frames: SseFrame[] = [];
  readonly comments: string[] = [];
  /** Everything that came, in text. */
  text = '';
  status = 0;
  headers: IncomingMessage['headers'] = {};
  response: IncomingMessage | undefined;
  ended = false;
  readonly #request: ClientRequest;
  #wake: (() => void)[] = [];
  #rest = '';

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#request = get(url, { headers, agent: false });
    this.#request.on('response', (response) => {
      this.response = response;
      this.status = response.statusCode ?? 0;
      this.headers = response.headers;
      response.setEncoding('utf8');
      response.on('data', (text: string) => this.#take(text));
      response.on('close', () => this.#end());
    });
    this.#request.on('error', () => this.#end());
  }

  /** Resolves when the condition holds; fails when the stream ends before. */
  async until(isTrue: (client: this) => boolean): Promise<void> {
    while (!isTrue(this)) {
      if (this.ended) throw new TypeError(`The stream ended after ${this.frames.length} frames.`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async untilEnded(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Resolves when the answer has begun, so that every event published afterwards belongs to it. */
  opened(): Promise<void> {
    return this.until(() => this.lastEventId !== '');
  }

  close(): void {
    this.#request.destroy();
  }

  #end(): void {
    this.ended = true;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }

  #take(text: string): void {
    this.text += text;
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop()!;
    for (const block of blocks) this.#takeBlock(block);
    this.#notify();
  }

  #takeBlock(block: string): void {
    let event = 'message';
    const data: string[] = [];
    for (const line of block.split('\n')) {
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
      if (field === '') this.comments.push(value!);
      else if (field === 'id') this.lastEventId = value!;
      else if (field === 'event') event = value!;
      else if (field === 'data') data.push(value!);
    }
    if (data.length > 0) this.frames.push({ id: this.lastEventId, event, data: data.join('\n') });
  }
}

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Not one hook for each: a test may open thousands. */
const opened = new Set<Socket>();

function endAll(): void {
  for (const socket of opened) socket.destroy();
  opened.clear();
}

/** A TCP connection that became a WebSocket, on which a test writes whatever bytes it wants. */
export class RawSocket {
  readonly socket: Socket;
  /** What came, without the answer to the handshake. */
  received = Buffer.alloc(0);
  closed = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#notify();
    });
    socket.on('close', () => {
      this.closed = true;
      this.#notify();
    });
  }

  static async open(url: string, headers: readonly string[] = []): Promise<RawSocket> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    if (opened.size === 0) onTestFinished(endAll);
    opened.add(socket);
    socket.on('close', () => opened.delete(socket));
    socket.on('error', () => {});
    const lines = [
      'GET /ws HTTP/1.1',
      'host: localhost',
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let head = Buffer.alloc(0);
    while (!head.includes('\r\n\r\n')) head = Buffer.concat([head, ...(await once(socket, 'data'))]);
    const raw = new RawSocket(socket);
    const end = head.indexOf('\r\n\r\n') + 4;
    raw.head = head.subarray(0, end).toString();
    raw.received = head.subarray(end);
    return raw;
  }

  /** The answer to the handshake. */
  head = '';

  write(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** Writes as fast as the service takes it. */
  async writeAll(chunks: Iterable<Uint8Array>): Promise<void> {
    for (const chunk of chunks) {
      if (this.socket.destroyed) return;
      if (this.socket.write(chunk)) continue;
      await Promise.race([once(this.socket, 'drain').catch(() => {}), this.untilClosed()]);
    }
  }

  async untilClosed(): Promise<void> {
    while (!this.closed) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async until(isTrue: (raw: this) => boolean): Promise<void> {
    while (!isTrue(this)) {
      if (this.closed) throw new TypeError('The connection ended before.');
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** The frames that came: their kind and what is in them. */
  frames(): { opcode: number; payload: Buffer }[] {
    const frames: { opcode: number; payload: Buffer }[] = [];
    let rest = this.received;
    while (rest.length >= 2) {
      const short = rest[1]! & 0x7f;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < start) break;
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < start + length) break;
      frames.push({ opcode: rest[0]! & 0x0f, payload: rest.subarray(start, start + length) });
      rest = rest.subarray(start + length);
    }
    return frames;
  }

  /** The code of the close frame that came. */
  closeCode(): number | undefined {
    const close = this.frames().find(({ opcode }) => opcode === 8);
    return close && close.payload.length >= 2 ? close.payload.readUInt16BE(0) : undefined;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

export interface FrameOptions {
  /** The first byte: FIN, the reserved bits and the opcode. Default: the whole of a text. */
  readonly first?: number;
  readonly masked?: boolean;
  /** What the frame says its length is. Default: what it is. */
  readonly length?: number;
}

/** One frame as a client sends it (RFC 6455, section 5.2). */
export function frameBytes(payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { first = 0x81, masked = true } = options;
  const body = Buffer.from(payload);
  const { length = body.length } = options;
  const mask = masked ? 0x80 : 0;
  let head: Buffer;
  if (length < 126) head = Buffer.from([first, mask | length]);
  else if (length < 65_536) head = Buffer.from([first, mask | 126, length >> 8, length & 0xff]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([head, body]);
  const key = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  for (let at = 0; at < body.length; at++) body[at]! ^= key[at & 3]!;
  return Buffer.concat([head, key, body]);
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A server that sends back what it gets, and what it saw of its connections. */
export interface EchoServer {
  readonly url: string;
  readonly sockets: readonly Socket[];
  /** What came, in the pieces in which it came. */
  readonly pieces: readonly Buffer[];
}

export async function startEcho(): Promise<EchoServer> {
  const sockets: Socket[] = [];
  const pieces: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      pieces.push(bytes);
      socket.write(bytes);
    });
    socket.on('end', () => socket.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, pieces };
}

/** A client that remembers what came and how it ended. */
export class EchoClient {
  readonly socket: Socket;
  received = '';
  error: string | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => {
      this.received += text;
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code;
    });
    onTestFinished(() => void this.socket.destroy());
  }
}

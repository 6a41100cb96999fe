import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** Connections that were ever accepted. */
  connections(): number;
}

export interface Received {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** An HTTP receiver on loopback, closed when the test ends. */
export async function httpReceiver(
  answer: (received: Received, response: ServerResponse) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<Receiver> {
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    answer({ request, body: Buffer.concat(chunks) }, response);
  });
  return listen(server, host, port);
}

/** A receiver that speaks bytes, for what no HTTP library would send. */
export async function rawReceiver(serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<Receiver> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  return listen(server, host);
}

async function listen(server: Server, host: string, wantedPort = 0): Promise<Receiver> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => server.listen(wantedPort, host, done));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://${host}:${port}/hook`, port, connections: () => connections };
}

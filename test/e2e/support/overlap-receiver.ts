import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Arrival {
  readonly id: string;
  readonly attempt: number;
  readonly payload: object;
  /** Where it was sent to. */
  readonly path: string;
}

/** A webhook that takes its time, and notices when somebody sends an event while somebody else who is still there does. */
export class OverlapReceiver {
  /** Events that two held at once. */
  overlaps = 0;
  readonly endpoint: string;
  readonly #server: Server;
  readonly #underWay = new Map<string, IncomingMessage>();

  private constructor(server: Server) {
    const { address, port } = server.address() as AddressInfo;
    this.#server = server;
    this.endpoint = `http://${address}:${port}/`;
  }

  static async start(
    delayMs: number,
    onArrival: (arrival: Arrival) => void,
    host = '127.0.0.1',
  ): Promise<OverlapReceiver> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, host);
    await once(server, 'listening');
    const receiver = new OverlapReceiver(server);
    onTestFinished(() => receiver.close());
    server.on('request', async (request, response) => {
      const body = await bodyOf(request);
      if (body === undefined) return;
      const id = String(request.headers['webhook-id']);
      const path = request.url!;
      const key = `${path} ${id}`;
      const earlier = receiver.#underWay.get(key);
      // Of a sender that died the connection is closed.
      if (earlier && !earlier.socket.destroyed) receiver.overlaps++;
      receiver.#underWay.set(key, request);
      onArrival({
        id,
        attempt: Number(request.headers['event-manager-attempt']),
        payload: JSON.parse(body).payload,
        path,
      });
      setTimeout(() => {
        if (receiver.#underWay.get(key) === request) receiver.#underWay.delete(key);
        response.writeHead(204).end();
      }, delayMs);
    });
    return receiver;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** `undefined` when the sender died over it. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString();
}

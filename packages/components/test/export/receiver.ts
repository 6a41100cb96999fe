import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly events: readonly { readonly id: string; readonly type: string; readonly payload: Record<string, unknown> }[];
}

export interface Receiver {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** What is answered from now on; 0 never answers. */
  answer(status: number): void;
}

/** A real server on loopback that takes webhooks. */
export async function startReceiver(): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  let status = 204;
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const { events } = JSON.parse(body.toString()) as Pick<ReceivedRequest, 'events'>;
    requests.push({ headers: request.headers, body, events });
    if (status !== 0) response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/events`, requests, answer: (given) => void (status = given) };
}

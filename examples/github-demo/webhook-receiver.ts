import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedEvent {
  readonly id: string;
  readonly attempt: number;
  // biome-ignore lint/suspicious/noExplicitAny: an event of any type.
  readonly event: any;
}

/** A web address that takes events: it checks the signature with somebody else's library, hands the event over, answers 204. */
export class WebhookReceiver {
  readonly secret = `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`;
  readonly endpoint: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  static async start(onEvent: (received: ReceivedEvent) => void): Promise<WebhookReceiver> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(server);
    const webhook = new Webhook(receiver.secret);
    server.on('request', async (request, response) => {
      const body = await readBody(request).catch(() => undefined);
      if (body === undefined) return;
      try {
        const event = webhook.verify(body, request.headers as Record<string, string>);
        const attempt = Number(request.headers['event-manager-attempt']);
        onEvent({ id: String(request.headers['webhook-id']), attempt, event });
        response.writeHead(204).end();
      } catch {
        response.writeHead(401).end();
      }
    });
    return receiver;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

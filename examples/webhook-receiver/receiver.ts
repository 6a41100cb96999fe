import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { verify } from '@event-manager/webhook';

/** Any 2xx says "delivered"; anything else says "try again". */
export function receiver(secret: string, take: (event: unknown) => Promise<void>): Server {
  const taken = new Set<string>(); // in earnest: a unique key in your database
  return createServer(async (request, response) => {
    try {
      const body = await buffer(request); // the bytes as they came: parsed and printed again they differ
      const checked = verify(body, request.headers, [secret]);
      if (!checked.valid) return void response.writeHead(401).end(checked.reason);
      if (!taken.has(checked.id)) await take(JSON.parse(body.toString()));
      taken.add(checked.id);
      response.writeHead(204).end();
    } catch {
      response.writeHead(500).end();
    }
  });
}

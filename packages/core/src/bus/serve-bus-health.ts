import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asksForForeignHost } from '../foreign-host.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import type { EventBus } from './event-bus.ts';

export interface BusHealthOptions {
  /** Default: 127.0.0.1. The numbers are for whoever can reach it; `0.0.0.0` lets a cluster look. */
  readonly host?: string | undefined;
  /** Default: 8080; 0 takes a free one. */
  readonly port?: number | undefined;
}

export interface BusHealthPort extends AsyncDisposable {
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const PORT = 8_080;
const OPTIONS = ['host', 'port'] satisfies (keyof BusHealthOptions)[];
const NOT_FOUND: Answer = { status: 404, body: '{"code":"route_not_found"}' };
const FOREIGN: Answer = {
  status: 403,
  body: '{"code":"host_not_allowed","detail":"Ask for localhost or an address."}',
};

/**
 * Serves `GET /health/events` of a bus inside a program on a port of its own: 200 while it is well, 503 otherwise, with what
 * `getStats` and `getMetrics` tell. The program ends whether or not it is closed. Rejects with Node's error, `EADDRINUSE` for one.
 */
export async function serveBusHealth<Events>(
  bus: EventBus<Events>,
  options: BusHealthOptions = {},
): Promise<BusHealthPort> {
  refuseUnknownOptions(options, OPTIONS, 'serveBusHealth');
  const { host = '127.0.0.1', port = PORT } = options;
  const { createServer } = await import('node:http');
  const server = createServer(async (request, response) => {
    const { status, body } = await answerTo(request, bus, host);
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  const bound = await listening(server, host, port);
  server.unref();
  const close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { url: `http://${name}:${bound.port}/health/events`, close, [Symbol.asyncDispose]: close };
}

async function answerTo<Events>(
  { method, url, headers }: IncomingMessage,
  bus: EventBus<Events>,
  listensAt: string,
): Promise<Answer> {
  if (asksForForeignHost(headers.host, listensAt)) return FOREIGN;
  const isAsked = url?.split('?')[0] === '/health/events' && (method === 'GET' || method === 'HEAD');
  return isAsked ? healthOf(bus) : NOT_FOUND;
}

async function healthOf<Events>(bus: EventBus<Events>): Promise<Answer> {
  try {
    const stats = await bus.getStats();
    const metrics = bus.getMetrics();
    const status = stats.isHealthy ? 'ok' : 'degraded';
    // Without metrics there is no such key. What somebody attached to them may be no JSON.
    const body = JSON.stringify({ status, ...stats, metrics });
    return { status: stats.isHealthy ? 200 : 503, body };
  } catch (error) {
    // A bus that is closed or cannot be opened.
    const code = (error as { code?: unknown } | undefined)?.code ?? 'internal';
    return { status: 503, body: JSON.stringify({ status: 'unavailable', isHealthy: false, code }) };
  }
}

async function listening(server: Server, host: string, port: number): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
  return server.address() as AddressInfo;
}

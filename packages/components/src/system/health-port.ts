import type { IncomingMessage, Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { asksForForeignHost } from '@event-manager/core';
import type { EventsReport } from '../component-events.ts';
import type { EventsConfiguration } from '../configuration/events-configuration.ts';

type HealthSettings = EventsConfiguration['health'];

const NOT_FOUND = { status: 404, body: { code: 'route_not_found' } };
const FOREIGN = { status: 403, body: { code: 'host_not_allowed', detail: 'Ask for localhost or an address.' } };

/**
 * `GET /health/events` on a port of its own, while events are on. It is one request of one form, so nothing but Node's server is
 * needed. A port that is in use is a warning: the program goes on, and so do its events.
 */
export class HealthPort {
  readonly #report: (report: EventsReport) => void;
  readonly #status: () => object;
  #settings: HealthSettings | undefined;
  /** One change after the other: a port is free only when its server has closed. */
  #changing: Promise<void> = Promise.resolve();
  #server: Server | undefined;
  #served: HealthSettings | undefined;

  constructor(parts: { report: (report: EventsReport) => void; status: () => object }) {
    this.#report = parts.report;
    this.#status = parts.status;
  }

  follow(settings: HealthSettings | undefined): void {
    const wanted = settings?.enabled === true ? settings : undefined;
    this.#settings = wanted;
    if (wanted === undefined && this.#server === undefined) return;
    this.#changing = this.#changing.then(() => this.#change(wanted));
  }

  async close(): Promise<void> {
    this.follow(undefined);
    await this.#changing;
  }

  async #change(wanted: HealthSettings | undefined): Promise<void> {
    // Switched again meanwhile: the last word is the one that counts.
    if (wanted !== this.#settings) return;
    const isServed = this.#server !== undefined && isDeepStrictEqual(wanted, this.#served);
    if (isServed) return;
    await this.#stop();
    if (wanted) await this.#listen(wanted);
  }

  async #listen({ host, port }: HealthSettings): Promise<void> {
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      const { status, body } = this.#answerTo(request, host);
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
    });
    server.unref();
    const { promise, resolve } = Promise.withResolvers<void>();
    server.once('error', (error) => {
      const words = `GET /health/events cannot be served at ${host}:${port} (${(error as NodeJS.ErrnoException).code})`;
      this.#report({ code: 'health_unavailable', text: `${words}; events go on without it.` });
      resolve();
    });
    server.listen(port, host, () => {
      [this.#server, this.#served] = [server, { enabled: true, host, port }];
      resolve();
    });
    await promise;
  }

  #answerTo({ method, url, headers }: IncomingMessage, listensAt: string): { status: number; body: object } {
    if (asksForForeignHost(headers.host, listensAt)) return FOREIGN;
    const isAsked = url === '/health/events' && (method === 'GET' || method === 'HEAD');
    return isAsked ? { status: 200, body: this.#answer() } : NOT_FOUND;
  }

  #answer(): object {
    const status = this.#status() as { exports?: readonly { failing: boolean }[]; refused?: { buffer: number } };
    const isFailing = status.exports?.some(({ failing }) => failing) === true;
    return { status: isFailing ? 'degraded' : 'ok', ...status };
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }
}

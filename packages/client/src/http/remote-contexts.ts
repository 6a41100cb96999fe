import type { RelevanceContextIn, SubscriberContext } from '@event-manager/core';
import type { HttpCaller } from './http-caller.ts';
import { everyPage } from './pages.ts';
import { pathSegment } from './path-segment.ts';

/** The contexts of subscribers, asked and changed over HTTP. */
export class RemoteContexts {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async register(subscriber: string, context: RelevanceContextIn): Promise<SubscriberContext> {
    const request = { method: 'PUT', path: pathOf(subscriber), isRepeatable: true } as const;
    return (await this.#http.call({ ...request, body: JSON.stringify(context) })) as SubscriberContext;
  }

  async get(subscriber: string): Promise<SubscriberContext> {
    return (await this.#http.call({
      method: 'GET',
      path: pathOf(subscriber),
      isRepeatable: true,
    })) as SubscriberContext;
  }

  async list(): Promise<readonly SubscriberContext[]> {
    return (await everyPage(this.#http, '/contexts', { limit: '1000' })) as SubscriberContext[];
  }

  async remove(subscriber: string): Promise<void> {
    await this.#http.call({ method: 'DELETE', path: pathOf(subscriber), isRepeatable: true });
  }
}

/** Whatever the name: what an address cannot say must not be asked of another one. */
function pathOf(subscriber: string): string {
  return `/contexts/${pathSegment(subscriber)}`;
}

import type {
  DeliveriesRequest,
  EventDeliveries,
  EventDelivery,
  FilterPreview,
  PreviewRequest,
  Why,
} from '@event-manager/core';
import type { HttpCaller } from './http-caller.ts';
import { pageOf } from './pages.ts';
import { pathSegment } from './path-segment.ts';

const PAGE = '100';

/** Why events did or did not come, asked over HTTP. */
export class RemoteWhy {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async why(subscriptionId: string, eventId: string): Promise<Why> {
    const path = `/subscriptions/${pathSegment(subscriptionId)}/why/${pathSegment(eventId)}`;
    return (await this.#http.call({ method: 'GET', path, isRepeatable: true })) as Why;
  }

  async preview(request: PreviewRequest): Promise<FilterPreview> {
    const body = JSON.stringify(request);
    return (await this.#http.call({
      method: 'POST',
      path: '/filters/preview',
      body,
      isRepeatable: true,
    })) as FilterPreview;
  }

  async deliveries(eventId: string, { all = false }: DeliveriesRequest): Promise<EventDeliveries> {
    const path = `/events/${pathSegment(eventId)}/deliveries`;
    const query = new URLSearchParams(all ? { all: 'true', limit: PAGE } : { limit: PAGE });
    const deliveries: EventDelivery[] = [];
    for (;;) {
      const answer = await this.#http.call({ method: 'GET', path, query, isRepeatable: true });
      const { data, nextCursor } = pageOf(answer);
      deliveries.push(...(data as EventDelivery[]));
      if (nextCursor === null) return { deliveries, notMatching: (answer as EventDeliveries).notMatching };
      query.set('cursor', nextCursor);
    }
  }
}

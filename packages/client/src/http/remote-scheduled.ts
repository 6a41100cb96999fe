import type { ScheduledEvent, ScheduledEventWithContent } from '@event-manager/core';
import { reviveEvent } from '@event-manager/core/portable';
import type { HttpCaller } from './http-caller.ts';
import { everyPage } from './pages.ts';
import { pathSegment } from './path-segment.ts';

/** Events that wait for their time in the service. */
export class RemoteScheduled {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async list(): Promise<readonly ScheduledEvent[]> {
    return (await everyPage(this.#http, '/scheduled', {})) as ScheduledEvent[];
  }

  async get(id: string): Promise<ScheduledEventWithContent> {
    const answer = await this.#http.call({ method: 'GET', path: pathOf(id), isRepeatable: true });
    const scheduled = answer as ScheduledEventWithContent;
    return { ...scheduled, event: reviveEvent(scheduled.event) };
  }

  async cancel(id: string): Promise<boolean> {
    const answer = await this.#http.call({ method: 'DELETE', path: pathOf(id), isRepeatable: true });
    // No answer is that of a repetition: the event was there when we asked first, so it is our own doing that it is gone.
    return answer === undefined || (answer as { readonly cancelled: boolean }).cancelled;
  }
}

function pathOf(id: string): string {
  return `/scheduled/${pathSegment(id)}`;
}

import type { ReplayPreview, Run, RunFailure, RunsRequest } from '@event-manager/core';
import { EventManagerError, reviveEvent } from '@event-manager/core/portable';
import type { HttpCaller } from './http-caller.ts';
import { everyPage } from './pages.ts';
import { pathSegment } from './path-segment.ts';

/** Replays, redrives and discards of the service. */
export class RemoteRuns {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async replay(request: Readonly<Record<string, unknown>>): Promise<Run | ReplayPreview> {
    const { target } = request;
    if (typeof target === 'function' || typeof (target as { handler?: unknown } | undefined)?.handler === 'function') {
      const words = 'A service cannot call a function of its client: give an endpoint.';
      throw new EventManagerError('not_supported', words, { pointer: '/target' });
    }
    const body = JSON.stringify(request);
    const answer = (await this.#http.call({
      ...{ method: 'POST', path: '/replays', isRepeatable: false, body },
    })) as Run | ReplayPreview;
    return 'sample' in answer ? { ...answer, sample: answer.sample.map((event) => reviveEvent(event)) } : answer;
  }

  async get(id: string): Promise<Run> {
    return (await this.#http.call({ method: 'GET', path: pathOf(id), isRepeatable: true })) as Run;
  }

  async list({ kind }: RunsRequest): Promise<readonly Run[]> {
    const query = { limit: '1000', ...(kind === undefined ? {} : { kind }) };
    return (await everyPage(this.#http, '/runs', query)) as Run[];
  }

  /** Saying it twice says no more. */
  async control(id: string, control: 'pause' | 'resume' | 'cancel'): Promise<Run> {
    const path = `${pathOf(id)}/${control}`;
    return (await this.#http.call({ method: 'POST', path, isRepeatable: true })) as Run;
  }

  async report(id: string): Promise<readonly RunFailure[]> {
    return (await everyPage(this.#http, `${pathOf(id)}/report`, { limit: '1000' })) as RunFailure[];
  }
}

function pathOf(id: string): string {
  return `/runs/${pathSegment(id)}`;
}

import type { ProjectionInfo, ProjectionState } from '@event-manager/core';
import type { HttpCaller } from './http-caller.ts';
import { everyPage } from './pages.ts';
import { pathSegment } from './path-segment.ts';

/** What projections keep, asked over HTTP. */
export class RemoteProjections {
  readonly #http: HttpCaller;

  constructor(http: HttpCaller) {
    this.#http = http;
  }

  async list(): Promise<readonly ProjectionInfo[]> {
    return (await everyPage(this.#http, '/projections', { limit: '1000' })) as ProjectionInfo[];
  }

  async get(name: string): Promise<ProjectionInfo> {
    return (await this.#http.call({ method: 'GET', path: pathOf(name), isRepeatable: true })) as ProjectionInfo;
  }

  async state(name: string, key: string | undefined): Promise<ProjectionState> {
    const query = new URLSearchParams(key === undefined ? {} : { key });
    const path = `${pathOf(name)}/state`;
    return (await this.#http.call({ method: 'GET', path, query, isRepeatable: true })) as ProjectionState;
  }

  async keys(name: string): Promise<readonly string[]> {
    return (await everyPage(this.#http, `${pathOf(name)}/keys`, { limit: '1000' })) as string[];
  }

  async remove(name: string): Promise<void> {
    await this.#http.call({ method: 'DELETE', path: pathOf(name), isRepeatable: true });
  }
}

function pathOf(name: string): string {
  return `/projections/${pathSegment(name)}`;
}

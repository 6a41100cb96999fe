import { EventManagerError } from '@event-manager/core/portable';
import type { HttpCaller } from './http-caller.ts';

export interface Page {
  readonly data: readonly unknown[];
  readonly nextCursor: string | null;
}

/** The entries of all pages of a list. */
export async function everyPage(
  http: HttpCaller,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const parameters = new URLSearchParams(cursor === undefined ? query : { ...query, cursor });
    const page = pageOf(await http.call({ method: 'GET', path, query: parameters, isRepeatable: true }));
    all.push(...page.data);
    cursor = page.nextCursor;
  }
  return all;
}

export function pageOf(body: unknown): Page {
  const { data } = body as Partial<Page>;
  if (Array.isArray(data)) return body as Page;
  throw new EventManagerError('internal', 'The answer does not come from an event manager: it has no list of data.');
}

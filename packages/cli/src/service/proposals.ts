import type { CliContext } from '../cli-context.ts';
import { askService } from './ask-service.ts';
import { serviceUrl } from './service-url.ts';

/** A person waits for the completion of a word: better none than a late one. */
const ANSWER_MS = 700;

/** Ids of the subscriptions of the service, for completion. Nothing when it does not answer. */
export function proposeSubscriptions(this: CliContext, partial: string): Promise<readonly string[]> {
  return propose(this, '/subscriptions?limit=1000', 'id', partial);
}

/** Declared topics. */
export function proposeTopics(this: CliContext, partial: string): Promise<readonly string[]> {
  return propose(this, '/topics', 'topic', partial);
}

/** Subscribers with a context. */
export function proposeContexts(this: CliContext, partial: string): Promise<readonly string[]> {
  return propose(this, '/contexts?limit=1000', 'subscriber', partial);
}

/** Projections that are kept. */
export function proposeProjections(this: CliContext, partial: string): Promise<readonly string[]> {
  return propose(this, '/projections?limit=1000', 'name', partial);
}

async function propose(context: CliContext, path: string, field: string, partial: string): Promise<readonly string[]> {
  try {
    const url = serviceUrl(context, undefined);
    const { body } = await askService({ url, path, timeoutMs: ANSWER_MS, runtime: context.surroundings.runtime });
    const { data } = body as { readonly data: readonly Readonly<Record<string, unknown>>[] };
    return data.map((entry) => String(entry[field])).filter((name) => name.startsWith(partial));
  } catch {
    // A completion that fails says nothing: the person is typing.
    return [];
  }
}

import { createRequire } from 'node:module';

/** The package is one JSON file, which has no types that fit a module. */
const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}[];

/** An event as it is published. */
export interface GitHubEvent {
  readonly id: string;
  readonly type: string;
  readonly source: 'github';
  readonly topic: string;
  readonly correlationId?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** How many payloads the package holds in the version this was written for. */
export const PAYLOADS_EXPECTED = 329;

/**
 * The payloads that GitHub really sent, collected by the package `@octokit/webhooks-examples`, as events. The id is made by
 * the publisher, so that sending an event again after a broken connection cannot store it twice.
 */
export function githubEvents(): readonly GitHubEvent[] {
  return definitions.flatMap(({ name, examples }) => examples.map((payload) => toEvent(name, payload)));
}

function toEvent(name: string, payload: Readonly<Record<string, unknown>>): GitHubEvent {
  const { action, repository } = payload;
  const levels = typeof action === 'string' ? [name, action] : [name];
  const repositoryName = (repository as { full_name?: string } | undefined)?.full_name;
  return {
    id: crypto.randomUUID(),
    type: ['github', ...levels].join('.'),
    source: 'github',
    topic: ['github', ...levels].join('/'),
    ...(repositoryName === undefined ? {} : { correlationId: repositoryName }),
    payload,
  };
}

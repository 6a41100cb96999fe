import type { HistoryEntry } from '@event-manager/testing';
import { digest } from '../../../examples/github-demo/digest.ts';

export interface PublishedByHttp {
  readonly id: string;
  readonly payload: object;
}

export interface PublishOptions {
  readonly url: string;
  readonly client: string;
  readonly history: HistoryEntry[];
  /** Who is to get it, by the names of the history. */
  readonly subscriptions: readonly string[];
}

const PAUSE_MS = 20;
const TRIES_MAX = 3_000;

/**
 * Publishes as a careful client does: when nobody knows what became of it, the same event goes out again under the same id.
 * Every try and its outcome is written down. Resolves when the service has acknowledged.
 */
export async function publishUntilAcknowledged(event: PublishedByHttp, options: PublishOptions): Promise<void> {
  const { url, client, history, subscriptions } = options;
  const { id } = event;
  const body = JSON.stringify(event);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    history.push({ kind: 'invoke', client, id, subscriptions, digest: digest(event.payload) });
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/events`, { method: 'POST', headers, body });
      const answer = await response.text();
      if (response.ok) {
        history.push({ kind: 'ok', id });
        return;
      }
      if (response.status !== 503 && response.status !== 429) throw new TypeError(`${response.status} ${answer}`);
      history.push({ kind: 'unknown', id });
    } catch (error) {
      if (!(error instanceof TypeError) || /^\d{3} /.test(error.message)) throw error;
      history.push({ kind: 'unknown', id });
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new TypeError(`The service never acknowledged ${id}.`);
}

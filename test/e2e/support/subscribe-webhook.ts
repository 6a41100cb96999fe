import type { HistoryEntry } from '@event-manager/testing';
import { onTestFinished } from 'vitest';
import { digest } from '../../../examples/github-demo/digest.ts';
import { type ReceivedEvent, WebhookReceiver } from '../../../examples/github-demo/webhook-receiver.ts';

export interface WebhookSubscription {
  readonly url: string;
  /** Of the subscription, in the service and in the history. */
  readonly name: string;
  readonly topic: string;
  readonly history: HistoryEntry[];
  readonly options?: object;
  readonly onEvent?: (received: ReceivedEvent) => void;
}

/** Subscribes a receiver of this process, which writes down what it gets before it answers. Resolves with the subscription's id. */
export async function subscribeWebhook(subscription: WebhookSubscription): Promise<string> {
  const { url, name, topic, history, options = {}, onEvent = () => {} } = subscription;
  history.push({ kind: 'subscribe', subscription: name });
  const receiver = await WebhookReceiver.start((received) => {
    const { id, attempt, event } = received;
    history.push({ kind: 'deliver', subscription: name, id, attempt, digest: digest(event.payload) });
    onEvent(received);
  });
  onTestFinished(() => receiver.close());
  const { endpoint, secret } = receiver;
  const response = await fetch(`${url}/subscriptions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, topic, endpoint, secret, options }),
  });
  if (response.status !== 201) throw new TypeError(`${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

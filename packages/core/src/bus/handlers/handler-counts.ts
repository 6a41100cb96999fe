import { ListenerLimit } from '../../listener-limit.ts';

/** Counts the handlers of each topic pattern, and warns of too many as of too many listeners. */
export class HandlerCounts {
  readonly #limit: ListenerLimit;
  readonly #byTopic = new Map<string, Set<string>>();
  readonly #topicOf = new Map<string, string>();

  constructor(max: number) {
    this.#limit = new ListenerLimit(max);
  }

  added(subscriptionId: string, topic: string, handler: { readonly name: string }): void {
    const ids = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, ids.add(subscriptionId));
    this.#topicOf.set(subscriptionId, topic);
    this.#limit.added(topic, ids.size, handler);
  }

  removed(subscriptionId: string): void {
    const topic = this.#topicOf.get(subscriptionId);
    if (topic === undefined) return;
    this.#topicOf.delete(subscriptionId);
    const ids = this.#byTopic.get(topic);
    ids?.delete(subscriptionId);
    if (ids?.size === 0) this.#byTopic.delete(topic);
    this.#limit.removed(topic, ids?.size ?? 0);
  }
}

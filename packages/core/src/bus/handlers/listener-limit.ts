/** Told once for each topic whose handlers become more than there should be: usually somebody subscribes in a loop and never leaves. */
export type WarnOfListeners = (words: string, topic: string, count: number) => void;

/** Counts the handlers of each topic pattern. Zero means no limit, as it does for Node's emitter. */
export class ListenerLimit {
  readonly #max: number;
  readonly #warn: WarnOfListeners;
  readonly #byTopic = new Map<string, Set<string>>();
  readonly #topicOf = new Map<string, string>();
  readonly #told = new Set<string>();

  constructor(max: number, warn: WarnOfListeners = warnProcess) {
    this.#max = max;
    this.#warn = warn;
  }

  added(subscriptionId: string, topic: string, handler: { readonly name: string }): void {
    const ids = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, ids.add(subscriptionId));
    this.#topicOf.set(subscriptionId, topic);
    if (this.#max === 0 || ids.size <= this.#max || this.#told.has(topic)) return;
    this.#told.add(topic);
    const who = handler.name === '' ? 'a function without a name' : handler.name;
    const words = `Possible leak of handlers: ${ids.size} subscribe to ${topic}, the last of them is ${who}. unsubscribe takes one away; maxListeners is ${this.#max}.`;
    this.#warn(words, topic, ids.size);
  }

  removed(subscriptionId: string): void {
    const topic = this.#topicOf.get(subscriptionId);
    if (topic === undefined) return;
    this.#topicOf.delete(subscriptionId);
    const ids = this.#byTopic.get(topic);
    ids?.delete(subscriptionId);
    if (ids?.size === 0) this.#byTopic.delete(topic);
    if ((ids?.size ?? 0) <= this.#max) this.#told.delete(topic);
  }
}

function warnProcess(words: string): void {
  process.emitWarning(words, { type: 'MaxListenersExceededWarning', code: 'EVENT_BUS_MAX_LISTENERS' });
}

import type { PublishResult } from '@event-manager/core';
import { createEventIdSource, type Runtime } from '@event-manager/core/portable';
import { eventText } from './event-text.ts';
import type { Outbox } from './outbox.ts';
import type { PayloadChecks } from './payload-checks.ts';

export interface PublisherOptions {
  readonly runtime: Runtime;
  readonly outbox: Outbox;
  readonly checks: PayloadChecks;
}

/** From what was handed in to what can be sent. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #nextId: () => string;
  #timestamp = { atMs: Number.NaN, text: '' };

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#nextId = createEventIdSource(options.runtime);
  }

  /** Throws what the event is refused with before it is sent; rejects with what the service says, `unreachable`. */
  publish(input: unknown): Promise<PublishResult> {
    const { outbox, checks } = this.#options;
    const event = eventText(input, { id: this.#nextId, timestamp: this.#now() });
    const checking = checks.run(event);
    return checking ? checking.then(() => outbox.publish(event)) : outbox.publish(event);
  }

  /** Events of one millisecond share their text. */
  #now(): string {
    const atMs = this.#options.runtime.clock.wallMs();
    if (atMs !== this.#timestamp.atMs) this.#timestamp = { atMs, text: new Date(atMs).toISOString() };
    return this.#timestamp.text;
  }
}

import type { OperationContext } from '../../operations/operation-context.ts';
import type { ClientFrame } from './client-frame.ts';
import { EventTypes } from './event-types.ts';
import type { Outbox } from './outbox.ts';
import type { Streams } from './streams.ts';
import type { Subscriptions } from './subscriptions.ts';

/** The frames that have one answer each, publishes aside. */
export type RequestFrame = Exclude<ClientFrame, { type: 'publish' | 'ack' | 'nack' | 'release' | 'ping' }>;

export interface RequestsOptions {
  readonly context: OperationContext;
  readonly outbox: Outbox;
  readonly streams: Streams;
  readonly subscriptions: Subscriptions;
  readonly send: (frame: object) => void;
}

export class Requests {
  readonly #options: RequestsOptions;
  /** Made by the first who asks for it: most connections never do. */
  #eventTypes: EventTypes | undefined;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Does what is asked and sends the answer. Rejects with what the answer should be instead. */
  async perform(frame: RequestFrame): Promise<void> {
    const { streams, subscriptions, send } = this.#options;
    if ('eventTypes' in frame) return this.#changeEventTypes(frame);
    const { ref } = frame;
    switch (frame.type) {
      case 'stream':
        return streams.open(frame, (stream, cursor) => send({ type: 'streaming', ref, stream, cursor }));
      case 'unstream':
        streams.close(frame.stream);
        send({ type: 'unstreamed', ref });
        return;
      case 'subscribe':
        return subscriptions.subscribe(frame, (subscription) => send({ type: 'subscribed', ref, subscription }));
      case 'unsubscribe':
        await subscriptions.unsubscribe(frame);
        send({ type: 'unsubscribed', ref });
        return;
      case 'detach':
        await subscriptions.detach(frame, frame.drainMs);
        send({ type: 'detached', ref });
        return;
    }
  }

  /** What a page gets that has said nothing yet. Resolves with the cursor from where it comes. */
  begin(from: string, types?: readonly string[]): Promise<string> {
    return this.#types().begin(from, types);
  }

  async #changeEventTypes(frame: Extract<RequestFrame, { eventTypes: unknown }>): Promise<void> {
    const { type, ref, eventTypes, from } = frame;
    const types = this.#types();
    const wanted = await (type === 'subscribe' ? types.add(eventTypes, from) : types.remove(eventTypes));
    this.#options.send({ type: 'subscribed', ...(ref === undefined ? {} : { ref }), ...wanted });
  }

  #types(): EventTypes {
    const { context, outbox, streams } = this.#options;
    this.#eventTypes ??= new EventTypes({ context, outbox, streams });
    return this.#eventTypes;
  }
}

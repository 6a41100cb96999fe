import type { Event } from '../../event/event.ts';
import { compileFilter } from '../../filter/compile-filter.ts';
import { type DeliveryContext, type HandlerAnswer, handlerOutcome } from '../../sink/handler-sink.ts';
import type { SubscriptionDefinition } from '../../subscription/subscription.ts';
import { compilePatterns } from '../../topic/compile-patterns.ts';

/** A handler as the engine calls it. */
export type ReplayHandler = (event: Event, context: DeliveryContext) => HandlerAnswer;

interface Receiver {
  readonly wants: (event: Event) => boolean;
  readonly handler: ReplayHandler;
  /** Members of one group share its events. */
  readonly group: string;
}

/**
 * The handlers of a bus, for events that come out of a store and not out of the log. They are called directly, marked as a replay:
 * nothing is owed, retried or made a dead letter, and nothing of the live deliveries changes.
 */
export class ReplayReceivers {
  readonly #receivers = new Map<string, Receiver>();

  added(id: string, { name, ...wanted }: Wanted & Pick<SubscriptionDefinition, 'name'>, handler: ReplayHandler): void {
    const group = name === undefined ? id : `group ${name}`;
    this.#receivers.set(id, { wants: compileWants(wanted), handler, group });
  }

  removed(id: string): void {
    this.#receivers.delete(id);
  }

  /** Hands an event to each handler that wants it, one after the other; of a group to one. Resolves with the errors. */
  async deliver(event: Event, replayId: string, signal: AbortSignal): Promise<readonly unknown[]> {
    const done = new Set<string>();
    const errors: unknown[] = [];
    // A handler may subscribe others: they get what comes from then on, or one that subscribes itself anew would have no end.
    for (const [subscriptionId, { wants, handler, group }] of [...this.#receivers]) {
      if (!this.#receivers.has(subscriptionId) || done.has(group) || !wants(event)) continue;
      done.add(group);
      const error = await callReplayed(handler, event, { subscriptionId, replayId, signal });
      if (error !== undefined) errors.push(error);
    }
    return errors;
  }
}

type Wanted = Pick<SubscriptionDefinition, 'topic' | 'filter' | 'options'>;

/** As the engine decides it of a live event. */
function compileWants({ topic, filter, options: { priority: least } }: Wanted): (event: Event) => boolean {
  const matches = compilePatterns([topic]);
  const accepts = filter === undefined ? undefined : compileFilter(filter);
  return (event) =>
    matches(event.topic) &&
    (least === undefined || event.priority <= least) &&
    (accepts === undefined || accepts(event));
}

/** Resolves with what went wrong, if anything did. */
export async function callReplayed(
  handler: ReplayHandler,
  event: Event,
  { subscriptionId, replayId, signal }: { subscriptionId: string; replayId: string; signal: AbortSignal },
): Promise<unknown> {
  const context: DeliveryContext = { subscriptionId, attempt: 1, replay: { id: replayId }, signal };
  try {
    const outcome = handlerOutcome(await handler(event, context));
    return 'error' in outcome ? outcome.error : undefined;
  } catch (error) {
    return error ?? new TypeError('The handler threw nothing.');
  }
}

import type { Event } from '../../event/event.ts';
import { compileFilter } from '../../filter/compile-filter.ts';
import type { FilterIn } from '../../filter/filter-in.ts';
import { parseFilter } from '../../filter/parse-filter.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { type DeliveryContext, type HandlerAnswer, handlerOutcome } from '../../sink/handler-sink.ts';
import { matchesPattern, type Pattern, parsePattern } from '../../topic/pattern.ts';
import type { BusSubscribeOptions } from '../bus-subscription.ts';

/** A handler as the engine calls it. */
export type ReplayHandler = (event: Event, context: DeliveryContext) => HandlerAnswer;

interface Receiver {
  readonly pattern: Pattern;
  readonly accepts: (event: Event) => boolean;
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

  added(id: string, topic: string, handler: ReplayHandler, options: BusSubscribeOptions): void {
    const { filter, consumerGroup = options.name } = options;
    const accepts =
      filter === undefined ? () => true : compileFilter(parseFilter(filter as FilterIn, DEFAULT_LIMITS, ''));
    const group = consumerGroup === undefined ? id : `group ${consumerGroup}`;
    this.#receivers.set(id, { pattern: parsePattern(topic, DEFAULT_LIMITS), accepts, handler, group });
  }

  removed(id: string): void {
    this.#receivers.delete(id);
  }

  /** Hands an event to each handler that wants it, one after the other; of a group to one. Resolves with the errors. */
  async deliver(event: Event, replayId: string, signal: AbortSignal): Promise<readonly unknown[]> {
    const done = new Set<string>();
    const errors: unknown[] = [];
    for (const [subscriptionId, { pattern, accepts, handler, group }] of this.#receivers) {
      if (done.has(group) || !matchesPattern(pattern, event.topic) || !accepts(event)) continue;
      done.add(group);
      const error = await callReplayed(handler, event, { subscriptionId, replayId, signal });
      if (error !== undefined) errors.push(error);
    }
    return errors;
  }
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

import type { Event } from '../event/event.ts';
import type { DeliveryContext, HandlerAnswer } from '../sink/handler-sink.ts';
import type { BusMeter } from './bus-meter.ts';
import type { HandlerFailures } from './handler-failures.ts';

type Called = (event: Event, context: DeliveryContext) => HandlerAnswer;

/**
 * The same handler, whose calls are counted and whose failures are told. A handler that answers at once still does: a promise more
 * would cost each delivery a turn.
 */
export function observedHandler(
  handler: Called,
  topic: string,
  { meter, failures }: { readonly meter: BusMeter | undefined; readonly failures: HandlerFailures },
): Called {
  const failed = (error: unknown, sinceMs: number, event: Event, context: DeliveryContext): void => {
    meter?.ended(sinceMs, false);
    // Who asked for a replay is answered with what failed, and an attempt that was given up is judged already.
    if (context.replay || context.signal.aborted) return;
    const { subscriptionId, attempt } = context;
    failures.tell(error, { event, topic, subscriptionId, attempt });
  };
  const ended = (
    answer: Awaited<HandlerAnswer>,
    sinceMs: number,
    event: Event,
    context: DeliveryContext,
  ): typeof answer => {
    if (answer?.success === false) failed(answer.error, sinceMs, event, context);
    else meter?.ended(sinceMs, true);
    return answer;
  };
  return (event, context) => {
    const sinceMs = meter ? meter.nowMs() : 0;
    let answer: HandlerAnswer;
    try {
      answer = handler(event, context);
    } catch (error) {
      failed(error, sinceMs, event, context);
      throw error;
    }
    if (!(answer instanceof Promise)) return ended(answer, sinceMs, event, context);
    const rejected = (error: unknown) => {
      failed(error, sinceMs, event, context);
      throw error;
    };
    return answer.then((settled) => ended(settled, sinceMs, event, context), rejected);
  };
}

import type { Recorded } from '../contracts/event-store.ts';
import type { AttemptError, DeliverOptions, Delivery, Outcome, ReplayMark, Sink } from '../contracts/sink.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import { wordsOf } from '../errors/words-of.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { isThenable } from '../is-thenable.ts';
import { HandlerCalls } from './handler-calls.ts';

/** What a handler says of an attempt. Saying nothing means success; throwing means "try again". */
export interface HandlerResult {
  readonly success: boolean;
  readonly error?: unknown;
  /** `false` makes the event a dead letter at once. Default: true. */
  readonly retry?: boolean;
  /** Of a failure: kept with its attempt, and so in the dead letter, as JSON of at most 1,024 characters. */
  readonly metadata?: Record<string, unknown>;
}

/** What a handler is told beside the event. */
export interface DeliveryContext {
  readonly subscriptionId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Set when the event is delivered once more because somebody asked for a replay. */
  readonly replay?: ReplayMark;
  /**
   * Differs when the event is owed anew, by a redrive or a reset: whoever remembers what was handled handles it once more. Absent
   * for the first life.
   */
  readonly life?: string;
  /** Aborted when the delivery timed out or the engine stops. */
  readonly signal: AbortSignal;
}

// biome-ignore lint/suspicious/noConfusingVoidType: methods declared to return Promise<void> are handlers too.
type Answer = HandlerResult | undefined | void;

/** What a handler may return. */
export type HandlerAnswer = Answer | Promise<Answer>;

/** Called with one event. */
export type EventHandler<Payload = Event['payload']> = (
  event: Event<Payload>,
  context: DeliveryContext,
) => HandlerAnswer;

/** Called with up to `batchSize` events; its answer holds for all of them. */
export type BatchHandler = (events: readonly Event[], contexts: readonly DeliveryContext[]) => HandlerAnswer;

const DELIVERED: Outcome = { status: 'delivered' };

/** Delivers to a function of this process, one event in a call. */
export function handlerSink(handler: EventHandler): Sink {
  const calls = new HandlerCalls();
  return {
    single: true,
    deliver([delivery], options) {
      const outcome = run(calls, options, () => handler(eventOf(delivery!.record), contextOf(delivery!, options)));
      return outcome instanceof Promise ? outcome.then((settled) => [settled]) : [outcome];
    },
    close: async () => {},
  };
}

/** Delivers to a function of this process, several events in one call. */
export function batchHandlerSink(handler: BatchHandler): Sink {
  const calls = new HandlerCalls();
  return {
    deliver(batch, options) {
      const events = batch.map((delivery) => eventOf(delivery.record));
      const contexts = batch.map((delivery) => contextOf(delivery, options));
      const outcome = run(calls, options, () => handler(events, contexts));
      if (outcome instanceof Promise) return outcome.then((settled) => batch.map(() => settled));
      return batch.map(() => outcome);
    },
    close: async () => {},
  };
}

function run(calls: HandlerCalls, attempt: DeliverOptions, call: () => HandlerAnswer): Outcome | Promise<Outcome> {
  try {
    const answer = calls.run(attempt, call);
    // Query builders and other libraries answer with promises of their own making.
    return isThenable(answer)
      ? Promise.resolve(answer as PromiseLike<Answer>).then(handlerOutcome, failed)
      : handlerOutcome(answer as Answer);
  } catch (error) {
    return failed(error);
  }
}

/** What a handler's answer means for its delivery. */
export function handlerOutcome(answer: Answer): Outcome {
  if (answer?.success !== false) return DELIVERED;
  const error = answer.metadata ? { ...describe(answer.error), metadata: answer.metadata } : describe(answer.error);
  return answer.retry === false ? { status: 'reject', error } : { status: 'retry', error };
}

function failed(error: unknown): Outcome {
  return { status: 'retry', error: describe(error) };
}

function describe(error: unknown): AttemptError {
  if (error instanceof Error) return { code: 'handler_error', message: `${error.name}: ${error.message}` };
  return { code: 'handler_error', message: error === undefined ? 'The handler reported a failure.' : wordsOf(error) };
}

function eventOf(record: Recorded): Event {
  return record instanceof KeptEvent ? record.event : decodeEvent(record.body);
}

function contextOf(delivery: Delivery, options: DeliverOptions): DeliveryContext {
  const context = new HandlerContext(delivery, options);
  if (delivery.replay) context.replay = delivery.replay;
  if (delivery.life !== undefined) context.life = delivery.life;
  return context;
}

/** What the handler of a bus says of a context when it has returned and its answer is still to come. */
export const HANDED_OVER = Symbol('handed over');

/** A class and not a literal: to define a getter anew for each delivery took a thirtieth of it. */
class HandlerContext implements DeliveryContext {
  readonly subscriptionId: string;
  readonly attempt: number;
  declare replay?: ReplayMark;
  declare life?: string;
  readonly #options: DeliverOptions;

  constructor({ subscriptionId, attempt }: Delivery, options: DeliverOptions) {
    this.subscriptionId = subscriptionId;
    this.attempt = attempt;
    this.#options = options;
  }

  /** Asked for only when the handler asks: making one costs more than a delivery. */
  get signal(): AbortSignal {
    return this.#options.signal;
  }

  [HANDED_OVER](): void {
    this.#options.handedOver?.();
  }
}

import type { SubscribeRequest } from '../event-manager.ts';
import { fieldName } from '../json/read-fields.ts';
import type { RetryPolicy } from '../retry/retry-policy.ts';
import type { EventHandler } from '../sink/handler-sink.ts';
import type { OptionValues, SubscriptionFields } from '../subscription/subscribe-options.ts';
import { SUBSCRIPTION_FIELDS } from '../subscription/subscription-fields.ts';
import { type BusContext, deliveredTo } from './bus-delivery.ts';
import { type BusEvent, busEvent } from './bus-event.ts';
import type { BusMeter } from './bus-meter.ts';
import type { HandlerFailures } from './handler-failures.ts';
import { observedHandler } from './observed-handler.ts';
import type { Upcasters } from './store/upcasters.ts';
import type { SubscriptionDefaults } from './subscription-defaults.ts';

/** What `subscribe` of the bus takes beside topic and handler: every option of a subscription, and the short names of the bus. */
export interface BusSubscribeOptions
  extends Omit<SubscriptionFields, 'options'>,
    Partial<Omit<OptionValues, keyof SubscriptionFields | 'useDLQ'>> {
  /** Members of one group share its events: each goes to one of them. The group outlives its members. */
  readonly consumerGroup?: string | undefined;
  /** Retries after the first attempt. Default: 3. */
  readonly maxRetries?: number | undefined;
  /** `false`: the event is settled by `ack` or `nack` of the context, not by the return of the handler. Default: true. */
  readonly autoAck?: boolean | undefined;
  /**
   * Tells of each dead letter by an event on `dlqTopic`, or on the topic with `dlq.` before it where none is named; of a pattern
   * one has to be named. Default: true with a `dlqTopic`, else false. The dead letter itself is kept in any case.
   */
  readonly useDLQ?: boolean | undefined;
  /** Topic of an event that tells of each dead letter. */
  readonly dlqTopic?: string | undefined;
}

/** What a subscription is that says nothing. */
export interface BusDefaults extends Pick<SubscriptionDefaults, 'autoAck' | 'useDLQ'> {
  /** Of the engine. */
  readonly retryPolicy: Partial<RetryPolicy> & Pick<RetryPolicy, 'maxRetries'>;
}

/** What it returns means nothing unless it is a `HandlerResult`, or a promise of one. */
export type BusHandler<Received = BusEvent> = (event: Received, context: BusContext) => unknown;

const WILDCARD = /[+*#]/;

export interface SubscriptionSurroundings {
  readonly defaults: BusDefaults;
  readonly upcasters: Upcasters;
  readonly meter: BusMeter | undefined;
  readonly failures: HandlerFailures;
}

/** The request of a subscription that the bus makes of its arguments. */
export function subscribeRequest(
  topic: string,
  handler: BusHandler,
  { consumerGroup, maxRetries, autoAck, useDLQ, dlqTopic, retryPolicy, ...rest }: BusSubscribeOptions,
  { defaults, upcasters, ...watchers }: SubscriptionSurroundings,
): SubscribeRequest {
  if (typeof handler !== 'function') throw new TypeError('The handler of a subscription is a function.');
  if (autoAck !== undefined && typeof autoAck !== 'boolean') throw new TypeError('autoAck is true or false.');
  const entries = Object.entries(rest);
  const isField = (name: string) => fieldName(SUBSCRIPTION_FIELDS, name) !== undefined;
  const fields = Object.fromEntries(entries.filter(([name]) => isField(name)));
  const options = Object.fromEntries(entries.filter(([name]) => !isField(name)));
  const answering = deliveredTo(handler, autoAck ?? defaults.autoAck);
  const upcasting: EventHandler = (event, context) => answering(busEvent(upcasters.upcast(event)), context);
  return {
    ...(consumerGroup === undefined ? {} : { name: consumerGroup }),
    ...fields,
    topic,
    handler: observedHandler(upcasting, topic, watchers),
    options: {
      ...retries(maxRetries, retryPolicy, defaults),
      ...deadLetters(topic, dlqTopic, useDLQ, defaults),
      ...options,
    },
  };
}

/** What is not said is the policy of the bus, which the engine has. */
function retries(
  maxRetries: number | undefined,
  retryPolicy: BusSubscribeOptions['retryPolicy'],
  defaults: BusDefaults,
): Pick<OptionValues, 'retryPolicy'> | undefined {
  if (retryPolicy === undefined) {
    return maxRetries === undefined ? undefined : { retryPolicy: { ...defaults.retryPolicy, maxRetries } };
  }
  const { maxRetries: camel, max_retries: snake, ...rest } = retryPolicy;
  return { retryPolicy: { ...rest, maxRetries: maxRetries ?? camel ?? snake ?? defaults.retryPolicy.maxRetries } };
}

/**
 * Where dead letters are told. The default lies beside the topic and not below it, or else whoever listens to all orders would
 * get an order that failed as one more order. A pattern has no one topic to make it of: where only the bus says that dead letters
 * are told, those of patterns are kept and not told.
 */
function deadLetters(
  topic: string,
  dlqTopic: string | undefined,
  useDLQ: boolean | undefined,
  defaults: BusDefaults,
): Partial<OptionValues> {
  if (dlqTopic !== undefined) return { deadLetterTopic: dlqTopic, useDLQ: useDLQ ?? true };
  if (!(useDLQ ?? defaults.useDLQ)) return {};
  if (!WILDCARD.test(topic)) return { deadLetterTopic: besideTopic(topic), useDLQ: true };
  if (useDLQ === undefined) return {};
  const words = `${topic} is a pattern, and useDLQ alone knows no topic to tell its dead letters on: name one by dlqTopic.`;
  throw new TypeError(words);
}

function besideTopic(topic: string): string {
  return `dlq${topic.includes('/') ? '/' : '.'}${topic}`;
}

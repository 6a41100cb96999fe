import type { SubscribeRequest } from '../event-manager.ts';
import type { DeliveryContext, HandlerAnswer } from '../sink/handler-sink.ts';
import type { OptionValues, SubscriptionFields } from '../subscription/subscribe-options.ts';
import { type BusEvent, busEvent } from './bus-event.ts';

/** What `subscribe` of the bus takes beside topic and handler: every option of a subscription, and the short names of the bus. */
export interface BusSubscribeOptions
  extends Omit<SubscriptionFields, 'options'>,
    Partial<Omit<OptionValues, keyof SubscriptionFields>> {
  /** Members of one group share its events: each goes to one of them. The group outlives its members. */
  readonly consumerGroup?: string | undefined;
  /** Retries after the first attempt. */
  readonly maxRetries?: number | undefined;
  /** Topic of an event that tells of each dead letter. */
  readonly dlqTopic?: string | undefined;
}

export type BusHandler<Received = BusEvent> = (event: Received, context: DeliveryContext) => HandlerAnswer;

const FIELDS = new Set(['name', 'subscriber', 'filter', 'context', 'realtime', 'fallbackWebhook']);

/** The request of a subscription that the bus makes of its arguments. */
export function subscribeRequest(
  topic: string,
  handler: BusHandler,
  { consumerGroup, maxRetries, dlqTopic, ...rest }: BusSubscribeOptions,
): SubscribeRequest {
  const entries = Object.entries(rest);
  const fields = Object.fromEntries(entries.filter(([name]) => FIELDS.has(name)));
  const options = Object.fromEntries(entries.filter(([name]) => !FIELDS.has(name)));
  return {
    ...(consumerGroup === undefined ? {} : { name: consumerGroup }),
    ...fields,
    topic,
    handler: (event, context) => handler(busEvent(event), context),
    options: {
      ...(maxRetries === undefined ? {} : { retryPolicy: { maxRetries } }),
      ...(dlqTopic === undefined ? {} : { deadLetterTopic: dlqTopic }),
      ...options,
    },
  };
}

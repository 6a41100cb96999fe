import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { endpointSchema, headersSchema, secretSchema } from './address-schemas.ts';
import { type Components, component, spelled } from './component.ts';
import { deliveryLogField } from './delivery-log-schema.ts';
import { FAILURE_SCHEMAS, failureFields } from './failure-schemas.ts';
import { filterSchemas } from './filter-schemas.ts';
import { orderFields } from './order-documents.ts';
import { paceFields } from './pace-schemas.ts';
import { connectionFields, realtimeSchemas, wayFields } from './realtime-schemas.ts';
import {
  cursorSchema,
  momentSchema,
  nameSchema,
  patternSchema,
  prioritySchema,
  topicSchema,
  wholeSchema,
  wordSchema,
} from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;
const CONCURRENCY_MAX = 1_000;
const RETRIES_MAX = 1_000;
const BACKOFFS = ['fixed', 'linear', 'exponential'];

/** Subscriptions as they are asked for. */
export function subscriptionSchemas(limits: Limits): Components {
  const fields = requestFields(limits);
  const { topic, endpoint, ...optional } = fields;
  return {
    SubscriptionIn: Type.Union(
      [
        Type.Object(
          {
            topic,
            endpoint,
            name: Type.Optional(
              nameSchema(limits, { description: 'With a name it is found again.', ...spelled('consumerGroup') }),
            ),
            ...optional,
          },
          CLOSED,
        ),
        acceptedSubscription(limits, fields),
        pulledSubscription(limits, fields),
      ],
      {
        description: 'A subscription to create. Without an endpoint its deliveries are pulled.',
        examples: [
          { name: 'billing', topic: 'order.*', endpoint: 'https://example.com/hook' },
          { name: 'nightly', topic: 'order.*' },
        ],
      },
    ),
    SubscriptionChanges: Type.Partial(Type.Object(fields), {
      ...CLOSED,
      description: 'The fields to change; inside `options` the options to change. `filter: {}` takes a filter away.',
      examples: [{ topic: 'order.*', options: { maxConcurrency: 4 } }],
    }),
    SubscriptionOptionsIn: optionsIn(limits),
    RetryPolicyIn: RETRY_POLICY_IN,
    StartFrom: START_FROM,
    ...FAILURE_SCHEMAS,
    ...realtimeSchemas(limits),
    ...filterSchemas(limits),
  };
}

/** Sockets come first; the webhook serves while none is attached to its name. */
function acceptedSubscription(limits: Limits, fields: ReturnType<typeof requestFields>): TSchema {
  const { topic, endpoint: _endpoint, fallbackWebhook: _fallback, connectionType: _type, ...optional } = fields;
  const name = Type.Optional(nameSchema(limits, { description: 'Under it sockets attach.' }));
  const needed = { realtime: Type.Optional(Type.Literal(true)), fallbackWebhook: component('FallbackAddress') };
  const connectionType = Type.Optional(wordSchema(['webhook', 'websocket']));
  return Type.Object({ topic, name, connectionType, ...optional, ...needed } as never, CLOSED);
}

function pulledSubscription(limits: Limits, fields: ReturnType<typeof requestFields>): TSchema {
  const { topic, subscriber, filter, context, options } = fields;
  const name = nameSchema(limits, {
    description: 'Needed: under it its deliveries are asked for.',
    ...spelled('consumerGroup'),
  });
  const connectionType = Type.Optional(wordSchema(['pull']));
  return Type.Object({ topic, name, connectionType, ...{ subscriber, filter, context, options } } as never, CLOSED);
}

function requestFields(limits: Limits): Record<'topic' | 'endpoint', TSchema> & Record<string, TSchema> {
  return {
    topic: patternSchema(limits, { description: 'Pattern over topics.', examples: ['order.*'] }),
    endpoint: endpointSchema(limits, ['http', 'https', 'ws', 'wss'], {
      description:
        'URL of a webhook, or of a WebSocket that the bus connects to; without user, password and fragment. Addresses inside a network are refused by default.',
    }),
    secret: Type.Optional(secretSchema()),
    headers: Type.Optional(headersSchema()),
    ...wayFields(),
    connectionType: Type.Optional(wordSchema(['webhook', 'websocket'])),
    subscriber: Type.Optional(
      nameSchema(limits, { description: 'The service that owns it.', ...spelled('subscriberId', 'serviceName') }),
    ),
    filter: Type.Optional(component('Filter', spelled('filters'))),
    context: Type.Optional(component('RelevanceContextIn')),
    options: Type.Optional(component('SubscriptionOptionsIn')),
  };
}

function optionsIn(limits: Limits): TSchema {
  const window = (options: TSchemaOptions = {}) => Type.Optional(wholeSchema(1, limits.inFlightMax, options));
  return Type.Object(
    {
      priority: Type.Optional(
        prioritySchema({ description: 'The least urgent priority it wants.', ...spelled('minimumPriority') }),
      ),
      batchSize: window({ default: 1, description: 'Events in one request; not above inFlightMax.' }),
      maxConcurrency: Type.Optional(
        wholeSchema(1, CONCURRENCY_MAX, { default: 10, description: 'Requests under way at once.' }),
      ),
      timeoutMs: Type.Optional(wholeSchema(1, HOUR_MS, { default: 15_000, ...spelled('timeout') })),
      inFlightMax: window({ default: limits.inFlightMax, description: 'The most that a crash can deliver again.' }),
      retryPolicy: Type.Optional(component('RetryPolicyIn', spelled('retry'))),
      deadLetterTopic: Type.Optional(
        topicSchema(limits, {
          description: 'Topic of an event that tells of each dead letter.',
          ...spelled('dlqTopic'),
        }),
      ),
      startFrom: Type.Optional(component('StartFrom', { default: 'latest' })),
      ...deliveryLogField(['failures', 'full', 'off'], { default: 'failures' }),
      ...failureFields(),
      ...paceFields(),
      ...orderFields(),
      ...wayFields(),
      ...connectionFields(),
    },
    CLOSED,
  );
}

const RETRY_POLICY_IN = Type.Object(
  {
    maxRetries: Type.Optional(wholeSchema(0, RETRIES_MAX, { default: 3 })),
    backoffStrategy: Type.Optional(wordSchema(BACKOFFS, { default: 'exponential', ...spelled('strategy', 'backoff') })),
    initialDelay: Type.Optional(
      wholeSchema(0, WEEK_MS, { default: 1_000, description: 'Milliseconds.', ...spelled('initialDelayMs') }),
    ),
    maxDelay: Type.Optional(
      wholeSchema(0, WEEK_MS, {
        default: 30_000,
        description: 'Milliseconds; not below initialDelay.',
        ...spelled('maxDelayMs'),
      }),
    ),
    jitter: Type.Optional(Type.Boolean({ default: true })),
  },
  CLOSED,
);

const START_FROM = Type.Union(
  [
    wordSchema(['latest', 'earliest']),
    Type.Object({ cursor: cursorSchema('events') }, CLOSED),
    Type.Object({ timeMs: momentSchema(spelled('time')) }, CLOSED),
  ],
  { description: 'Where a new subscription begins; one that exists goes on where it stands.' },
);

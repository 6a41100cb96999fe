import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { filterSchemas } from './filter-schemas.ts';
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
const HEADERS_MAX = 50;
/** The base64 of 24 to 64 bytes, as it is written: what the last character has too many bits for is zero. */
const SIX_BITS = '[A-Za-z0-9+/]';
const ONE_BYTE = `${SIX_BITS}[AQgw](?:==)?`;
const TWO_BYTES = `${SIX_BITS}{2}[AEIMQUYcgkosw048]=?`;
const THREE_BYTES = `(?:${SIX_BITS}{4})`;
const SECRET = `^whsec_(?:${THREE_BYTES}{8,20}(?:${ONE_BYTE}|${TWO_BYTES})?|${THREE_BYTES}{21}(?:${ONE_BYTE})?)$`;
const HEADER_NAME = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
const BACKOFFS = ['fixed', 'linear', 'exponential'];

/** Subscriptions as they are asked for. */
export function subscriptionSchemas(limits: Limits): Components {
  const fields = requestFields(limits);
  const { topic, endpoint, ...optional } = fields;
  return {
    SubscriptionIn: Type.Object(
      {
        topic,
        endpoint,
        name: Type.Optional(nameSchema(limits, { description: 'With a name it is found again.' })),
        ...optional,
      },
      {
        ...CLOSED,
        description: 'A subscription to create.',
        examples: [{ name: 'billing', topic: 'order.*', endpoint: 'https://example.com/hook' }],
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
    ...filterSchemas(limits),
  };
}

function requestFields(limits: Limits): Record<'topic' | 'endpoint', TSchema> & Record<string, TSchema> {
  return {
    topic: patternSchema(limits, { description: 'Pattern over topics.', examples: ['order.*'] }),
    endpoint: Type.String({
      format: 'uri',
      pattern: '^https?://[^\\s/?#@\\\\]+(?:[/?][^#\\s]*)?$',
      maxLength: limits.endpointCharactersMax,
      description:
        'URL of a webhook, without user, password and fragment. Addresses inside a network are refused by default.',
    }),
    secret: Type.Optional(
      Type.String({
        pattern: SECRET,
        description: 'Signs the deliveries (Standard Webhooks): `whsec_` and the base64 of 24 to 64 bytes.',
      }),
    ),
    headers: Type.Optional(
      Type.Record(Type.String(), headerValue(), {
        // Not patternProperties: what emits the document would rewrite those for OpenAPI 3.0.
        propertyNames: { pattern: HEADER_NAME },
        maxProperties: HEADERS_MAX,
        description: 'Sent with each delivery; none that HTTP or the bus sets itself.',
      }),
    ),
    connectionType: Type.Optional(wordSchema(['webhook'])),
    subscriber: Type.Optional(
      nameSchema(limits, { description: 'The service that owns it.', ...spelled('subscriberId', 'serviceName') }),
    ),
    filter: Type.Optional(component('Filter', spelled('filters'))),
    context: Type.Optional(component('RelevanceContextIn')),
    options: Type.Optional(component('SubscriptionOptionsIn')),
  };
}

function headerValue(): TSchema {
  return Type.String({ minLength: 1, maxLength: 4_096, pattern: '^[\\u0020-\\u007e\\u00a0-\\u00ff]+$' });
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

import { DELAY_MS_MAX, type Limits } from '@event-manager/core';
import Type, { type TSchemaOptions } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { momentSchema, NEXT_CURSOR, nameSchema, prioritySchema, topicSchema, wholeSchema } from './text-schemas.ts';

const RETRIES_MAX = 1_000;
const CLOSED = { additionalProperties: false };

/** Events as they are sent and as they are stored, and what is said about each. */
export function eventSchemas(limits: Limits): Components {
  return { EventIn: eventIn(limits), EventMetadataIn: metadataIn(limits), ...STORED, ...answers(limits) };
}

function eventIn(limits: Limits) {
  const name = (options: TSchemaOptions) => Type.Optional(nameSchema(limits, options));
  const type = { ...spelled('eventType', 'event_type'), examples: ['order.created'] };
  return Type.Object(
    {
      type: nameSchema(limits, { description: 'What happened.', ...type }),
      source: nameSchema(limits, { description: 'The service that says so.', examples: ['shop'] }),
      payload: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), { description: 'Any JSON in an object.', default: {} }),
      ),
      id: Type.Optional(
        Type.String({
          format: 'uuid',
          description: 'Makes repeating safe. Made by the service when absent.',
          ...spelled('eventId', 'event_id'),
        }),
      ),
      topic: Type.Optional(
        topicSchema(limits, {
          description: 'Its place in the hierarchy; the type when absent. `.` and `/` are equal.',
        }),
      ),
      priority: Type.Optional(prioritySchema({ default: 'NORMAL' })),
      timestamp: Type.Optional(momentSchema({ description: 'When it happened; now when absent.' })),
      version: name({ description: "Version of the payload's schema.", default: '1.0' }),
      metadata: Type.Optional(component('EventMetadataIn')),
      correlationId: name({ description: 'The flow it belongs to.', ...spelled('correlation_id') }),
      causationId: name({ description: 'Id of the event that caused it.', ...spelled('causation_id') }),
      ...laterFields(),
    },
    {
      ...CLOSED,
      description: 'An event to publish.',
      not: TWO_TIMES,
      if: { required: ['topic'] },
      else: { properties: { type: topicSchema(limits) } },
      examples: [{ type: 'order.created', source: 'shop', payload: { total: 12.5 } }],
    },
  );
}

const BOTH = { required: ['deliverAt', 'delayMs'] };
const EITHER = { anyOf: [{ required: ['deliverAt'] }, { required: ['delayMs'] }] };
/** The time of delivery is said once, beside the fields or in the metadata. */
const TWO_TIMES = { anyOf: [BOTH, { ...EITHER, required: ['metadata'], properties: { metadata: EITHER } }] };

/** One of them, beside the fields of the event or in its metadata. */
function laterFields() {
  const words = 'Kept durably until this moment, then published under its id; one that has passed means now.';
  return {
    deliverAt: Type.Optional(momentSchema({ description: words, ...spelled('deliver_at') })),
    delayMs: Type.Optional(
      wholeSchema(0, DELAY_MS_MAX, { description: 'The same as a wait from now on.', ...spelled('delay_ms') }),
    ),
  };
}

function metadataIn(limits: Limits) {
  const name = (options: TSchemaOptions) => Type.Optional(nameSchema(limits, options));
  const retries = (options: TSchemaOptions) => Type.Optional(wholeSchema(0, RETRIES_MAX, options));
  return Type.Object(
    {
      userId: name(spelled('user_id')),
      projectId: name(spelled('project_id')),
      sessionId: name(spelled('session_id')),
      tags: Type.Optional(Type.Array(nameSchema(limits), { maxItems: limits.tagsMax })),
      retryCount: retries({ description: 'Stored as 0.', ...spelled('retry_count') }),
      maxRetries: retries({ description: 'Beats the policy of every subscription.', ...spelled('max_retries') }),
      expiresAt: Type.Optional(
        momentSchema({ description: 'No attempt begins after this moment.', ...spelled('expires_at') }),
      ),
      orderingKey: name({
        description: 'Events with the same one come one after the other in subscriptions with `order: key`.',
        ...spelled('ordering_key'),
      }),
      ...laterFields(),
    },
    { description: 'Further keys are kept as they are.', not: BOTH },
  );
}

const STORED: Components = {
  Event: Type.Object(
    {
      id: Type.String({ format: 'uuid' }),
      type: Type.String(),
      source: Type.String(),
      timestamp: Type.String({ format: 'date-time' }),
      version: Type.String(),
      topic: Type.String(),
      priority: Type.Integer({ minimum: 0, maximum: 3 }),
      metadata: component('EventMetadata'),
      payload: Type.Record(Type.String(), Type.Unknown()),
      correlationId: Type.Optional(Type.String()),
      causationId: Type.Optional(Type.String()),
    },
    { ...CLOSED, description: 'An event as it is stored.' },
  ),
  EventMetadata: Type.Object({
    userId: Type.Optional(Type.String()),
    orderingKey: Type.Optional(Type.String()),
    projectId: Type.Optional(Type.String()),
    sessionId: Type.Optional(Type.String()),
    tags: Type.Array(Type.String()),
    retryCount: Type.Integer({ minimum: 0 }),
    maxRetries: Type.Integer({ minimum: 0 }),
    expiresAt: Type.Optional(Type.String({ format: 'date-time' })),
  }),
};

const PUBLISHED = {
  id: Type.String({ format: 'uuid' }),
  cursor: Type.String({ description: 'A stream from here continues behind the event.' }),
  duplicate: Type.Boolean({ description: 'The same event was stored or scheduled under this id before.' }),
  scheduledFor: Type.Optional(
    Type.String({ format: 'date-time', description: 'When an event that waits for its time will be published.' }),
  ),
};
const INDEX = Type.Integer({ minimum: 0, description: 'Which line, blank ones not counted.' });

function answers(limits: Limits): Components {
  return {
    Published: Type.Object(PUBLISHED, {
      ...CLOSED,
      examples: [{ id: '0198c0de-0000-7000-8000-000000000001', cursor: 'AQABDMpF_w', duplicate: false }],
    }),
    BatchIn: Type.Union([eventList(limits), Type.Object({ events: eventList(limits) }, CLOSED)]),
    BatchEntry: Type.Union([
      Type.Object({ status: Type.Enum([200, 201, 202]), ...PUBLISHED }, CLOSED),
      Type.Object({ status: errorStatus(), error: component('Problem') }, CLOSED),
    ]),
    BatchAnswer: Type.Object(
      {
        results: Type.Array(component('BatchEntry'), { description: 'One per event, in order.' }),
        stored: Type.Integer({ minimum: 0 }),
        scheduled: Type.Integer({ minimum: 0, description: 'Accepted, and waiting for their time.' }),
        duplicates: Type.Integer({ minimum: 0 }),
        failed: Type.Integer({ minimum: 0 }),
      },
      CLOSED,
    ),
    BatchLine: Type.Union([
      Type.Object({ index: INDEX, status: Type.Enum([200, 201, 202]), ...PUBLISHED }, CLOSED),
      Type.Object({ index: INDEX, status: errorStatus(), error: component('BatchLineError') }, CLOSED),
    ]),
    BatchLineError: Type.Object(
      {
        code: component('ErrorCode'),
        retryable: Type.Boolean(),
        pointer: Type.Optional(Type.String()),
        retryAfterMs: Type.Optional(Type.Number({ minimum: 0 })),
      },
      CLOSED,
    ),
    EventsPage: Type.Object(
      {
        data: Type.Array(component('Event')),
        nextCursor: NEXT_CURSOR,
        complete: Type.Boolean({
          description: 'False when the time for one search was used up; the cursor continues it.',
        }),
      },
      CLOSED,
    ),
  };
}

function eventList(limits: Limits) {
  return Type.Array(component('EventIn'), {
    maxItems: limits.batchEventsMax,
    description: 'A bad event does not spoil the others: its result has its error.',
  });
}

function errorStatus() {
  return Type.Integer({ minimum: 400, maximum: 599 });
}

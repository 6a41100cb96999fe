import { ERROR_CODES } from '@event-manager/core';
import Type from 'typebox';
import { type Components, component } from './component.ts';
import { DEBT_REMOVED } from './debt-removed-schema.ts';
import { deliveryLogField } from './delivery-log-schema.ts';
import { FAILURE_OPTIONS, RECEIVER_METRICS, RECEIVER_STATUS, STOPPED_REASON } from './failure-schemas.ts';
import { KEY_COUNTS, ORDER_OPTIONS } from './order-documents.ts';
import { LANE_STATUSES, PACE_OPTIONS, RATE_LEFT } from './pace-schemas.ts';
import { CONNECTION, FALLBACK, REALTIME_STATE } from './realtime-schemas.ts';
import { NEXT_CURSOR, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const UUID = Type.String({ format: 'uuid' });
const MOMENT = Type.String({ format: 'date-time' });
const COUNT = Type.Integer({ minimum: 0 });
const MILLISECONDS = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' });
const COUNTS = [
  'delivered',
  'failed',
  'retried',
  'deadLettered',
  'expired',
  'skipped',
  'withdrawn',
  'removed',
  'stale',
];
const PROGRESS = ['current', 'working', 'waiting', 'saturated', 'stalled', 'paused', 'stopped', 'unserved'];

const PROBLEMS: Components = {
  ErrorCode: wordSchema(Object.keys(ERROR_CODES), { description: 'Stable within a major version; branch on it.' }),
  Problem: Type.Object(
    {
      type: Type.String({ pattern: '^urn:event-manager:problem:[a-z_]+$' }),
      title: Type.String(),
      status: Type.Integer({ minimum: 400, maximum: 599 }),
      detail: Type.String({ description: 'For people; may improve at any time.' }),
      code: component('ErrorCode'),
      retryable: Type.Boolean({ description: 'The same request may succeed later without a change.' }),
      pointer: Type.Optional(
        Type.String({ description: 'JSON pointer into the body, or `/` and the name of a query parameter.' }),
      ),
      details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      requestId: Type.String({ description: 'Under which the log tells of it.' }),
    },
    {
      ...CLOSED,
      description: 'What went wrong (RFC 9457).',
      examples: [
        {
          type: 'urn:event-manager:problem:invalid_event',
          title: 'A field of the event is missing, of the wrong type or out of range.',
          status: 400,
          detail: 'A text that is not empty is expected.',
          code: 'invalid_event',
          retryable: false,
          pointer: '/type',
          requestId: '6bf341958585-9',
        },
      ],
    },
  ),
};

const SUBSCRIPTIONS: Components = {
  Subscription: Type.Object(
    {
      id: UUID,
      name: Type.Optional(Type.String()),
      subscriber: Type.Optional(Type.String()),
      topic: Type.String(),
      filter: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
      context: Type.Optional(component('RelevanceContext')),
      connectionType: Type.String(),
      endpoint: Type.Optional(Type.String({ description: 'Values in its query are shown as `***`.' })),
      signed: Type.Optional(Type.Boolean()),
      headerNames: Type.Optional(Type.Array(Type.String())),
      connection: Type.Optional(CONNECTION),
      fallback: Type.Optional(FALLBACK),
      options: component('SubscriptionOptions'),
      state: wordSchema(['active', 'paused', 'stopped']),
      stoppedReason: Type.Optional(STOPPED_REASON),
      createdAt: MOMENT,
      updatedAt: MOMENT,
      status: component('SubscriptionStatus'),
    },
    { ...CLOSED, description: 'A subscription and how far it is; never a secret.' },
  ),
  SubscriptionOptions: Type.Object(
    {
      priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 3 })),
      batchSize: Type.Integer({ minimum: 1 }),
      maxConcurrency: Type.Integer({ minimum: 1 }),
      timeoutMs: Type.Integer({ minimum: 1 }),
      inFlightMax: Type.Integer({ minimum: 1 }),
      retry: Type.Object(
        {
          maxRetries: COUNT,
          backoffStrategy: wordSchema(['fixed', 'linear', 'exponential']),
          initialDelay: COUNT,
          maxDelay: COUNT,
          jitter: Type.Boolean(),
        },
        CLOSED,
      ),
      deadLetterTopic: Type.Optional(Type.String()),
      ...FAILURE_OPTIONS,
      ...PACE_OPTIONS,
      ...ORDER_OPTIONS,
      ...deliveryLogField(['full', 'off']),
      startFrom: Type.Union([
        wordSchema(['latest', 'earliest']),
        Type.Object({ cursor: Type.String() }, CLOSED),
        Type.Object({ timeMs: Type.Integer() }, CLOSED),
      ]),
    },
    CLOSED,
  ),
  SubscriptionStatus: Type.Object({
    served: Type.Boolean(),
    servedBy: Type.Optional(
      Type.String({ description: 'The instance that serves it, where several share the store.' }),
    ),
    waiting: COUNT,
    inFlight: COUNT,
    owed: COUNT,
    state: wordSchema(PROGRESS, { description: '`stalled`: it could go on and does not.' }),
    ...KEY_COUNTS,
    lag: Type.Optional(Type.Integer({ minimum: 0, description: 'Deliveries it may still have to make.' })),
    lastProgressAt: Type.Optional(MOMENT),
    debtRemoved: Type.Optional(DEBT_REMOVED),
    members: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Handlers or sockets that share it, or askers that wait for deliveries.',
      }),
    ),
    counts: Type.Object(Object.fromEntries(COUNTS.map((name) => [name, COUNT]))),
    lanes: Type.Optional(LANE_STATUSES),
    rateLeft: Type.Optional(RATE_LEFT),
    receiver: Type.Optional(RECEIVER_STATUS),
    realtime: Type.Optional(REALTIME_STATE),
  }),
  SubscriptionsPage: Type.Object({ data: Type.Array(component('Subscription')), nextCursor: NEXT_CURSOR }, CLOSED),
  TestOutcome: Type.Object(
    {
      status: wordSchema(['delivered', 'failed']),
      httpStatus: Type.Optional(Type.Integer({ minimum: 100, maximum: 999 })),
      durationMs: COUNT,
      error: Type.Optional(component('AttemptError')),
    },
    { ...CLOSED, examples: [{ status: 'delivered', httpStatus: 204, durationMs: 12 }] },
  ),
  AttemptError: Type.Object({ code: Type.String(), message: Type.String() }, CLOSED),
};

const DEAD_LETTERS: Components = {
  DeadLetter: Type.Object(
    {
      id: UUID,
      state: wordSchema(['open', 'redriven', 'discarded', 'superseded']),
      subscriptionId: UUID,
      eventId: UUID,
      place: Type.Object({ partition: COUNT, position: COUNT }, CLOSED),
      round: COUNT,
      attempts: COUNT,
      reason: Type.String({ description: 'The last error in words.' }),
      errors: Type.Array(
        Type.Object(
          {
            attempt: COUNT,
            atMs: MILLISECONDS,
            code: Type.String(),
            message: Type.String(),
            metadata: Type.Optional(
              Type.Record(Type.String(), Type.Unknown(), { description: 'What the handler said besides.' }),
            ),
          },
          CLOSED,
        ),
      ),
      deadAtMs: MILLISECONDS,
      event: Type.String({ description: "The event's stored JSON, byte for byte." }),
      recordedAtMs: Type.Optional(MILLISECONDS),
      flags: Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: 'What its store keeps beside it.' })),
      redriven: Type.Optional(
        Type.Object(
          { letterId: UUID, runId: UUID, redrives: Type.Optional(COUNT) },
          { ...CLOSED, description: 'The letter that died again as this one.' },
        ),
      ),
      superseded: Type.Optional(
        Type.Object(
          { atMs: MILLISECONDS, by: Type.Optional(Type.String()) },
          {
            ...CLOSED,
            description: 'Since when the event is owed once more, and by whose reset where it was one.',
          },
        ),
      ),
      edited: Type.Optional(Type.Boolean({ description: 'Its payload is not the one that was published.' })),
      closed: Type.Optional(
        Type.Object(
          {
            atMs: MILLISECONDS,
            by: Type.String(),
            runId: UUID,
            note: Type.Optional(Type.String()),
            event: Type.Optional(Type.String({ description: 'What is delivered in place of `event`.' })),
            round: Type.Optional({
              ...COUNT,
              description: 'The round of its delivery, where that is not the next one.',
            }),
          },
          { ...CLOSED, description: 'Who redrove or discarded it.' },
        ),
      ),
    },
    { ...CLOSED, description: 'A delivery given up on, with its reasons.' },
  ),
  DeadLettersPage: Type.Object({ data: Type.Array(component('DeadLetter')), nextCursor: NEXT_CURSOR }, CLOSED),
};

const HEALTH: Components = {
  Health: Type.Object(
    {
      status: wordSchema(['ok', 'degraded', 'failed']),
      phase: wordSchema(['starting', 'serving', 'draining', 'stopped']),
      instance: Type.String({ description: 'The name of this process among those that share the store.' }),
      durability: Type.String(),
      streams: COUNT,
      head: COUNT,
      unacknowledged: COUNT,
      subscriptions: COUNT,
      instances: Type.Optional(
        Type.Object(
          { self: Type.String(), live: Type.Array(Type.String()) },
          { description: 'The instances that share the store and are heard of.' },
        ),
      ),
      progress: component('ProgressHealth'),
      warnings: Type.Array(Type.String()),
    },
    { description: 'What the service knows of itself.' },
  ),
  ProgressHealth: Type.Object({
    stalled: COUNT,
    saturated: COUNT,
    lag: COUNT,
    lagMax: COUNT,
    worst: Type.Array(
      Type.Object({
        id: UUID,
        name: Type.Optional(Type.String()),
        state: wordSchema(PROGRESS),
        lag: COUNT,
        lastProgressAt: Type.Optional(MOMENT),
      }),
    ),
  }),
  EventsHealth: Type.Object({
    status: wordSchema(['ok', 'degraded', 'failed']),
    reason: Type.Optional(Type.String()),
    published: COUNT,
    processed: COUNT,
    rejected: COUNT,
    failed: COUNT,
    deadLettered: COUNT,
    queueDepth: COUNT,
    bufferBytes: COUNT,
    progress: component('ProgressHealth'),
  }),
  EventMetrics: Type.Object(
    {
      eventsPublished: COUNT,
      eventsProcessed: COUNT,
      eventsRetried: COUNT,
      eventsFailed: COUNT,
      publishLatency: component('LatencySummary'),
      handlerLatency: component('LatencySummary'),
      endToEndLatency: component('LatencySummary'),
      queueDepth: COUNT,
      activeSubscriptions: COUNT,
      deadLetterCount: COUNT,
      receivers: RECEIVER_METRICS,
      memoryUsage: Type.Integer({ minimum: 0, description: 'Bytes.' }),
      cpuUsage: Type.Number({ minimum: 0, description: 'Seconds.' }),
    },
    { description: 'What was counted since the start, and how it is now.' },
  ),
  LatencySummary: Type.Object(
    {
      count: COUNT,
      sum: Type.Number(),
      p50: Type.Number(),
      p95: Type.Number(),
      p99: Type.Number(),
      buckets: Type.Array(Type.Object({ le: Type.Number(), count: COUNT })),
    },
    { description: 'Milliseconds.' },
  ),
};

export const ANSWER_SCHEMAS: Components = { ...PROBLEMS, ...SUBSCRIPTIONS, ...DEAD_LETTERS, ...HEALTH };

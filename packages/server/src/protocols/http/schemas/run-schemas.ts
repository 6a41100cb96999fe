import Type, { type TSchema } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { momentSchema, NEXT_CURSOR, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const COUNT = Type.Integer({ minimum: 0 });
const MILLISECONDS = Type.Number({ description: 'Wall clock, milliseconds since 1970.' });
const UUID = Type.String({ format: 'uuid' });
const KIND = wordSchema(['replay', 'redrive', 'discard']);
const TEXTS = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 1_000 }),
]);
const SUBSCRIPTIONS_MAX = 1_000;
const NOTE_CHARACTERS_MAX = 1_024;

/** What tells a replayed delivery from one that is owed. */
export const REPLAY_MARK: TSchema = Type.Object(
  { id: Type.String({ format: 'uuid', description: 'Of the run.' }) },
  { ...CLOSED, description: 'Only of an event that is delivered once more because somebody asked for a replay.' },
);

const PLACE = [
  wordSchema(['earliest', 'latest']),
  momentSchema(),
  Type.Object({ cursor: Type.String() }, CLOSED),
  Type.Object({ time: momentSchema() }, CLOSED),
];
const COUNTS = Type.Object(
  {
    total: Type.Optional(Type.Integer({ minimum: 0, description: 'Absent while it is not known.' })),
    done: COUNT,
    failed: COUNT,
    skipped: Type.Integer({ minimum: 0, description: 'Not meant, or nothing was left to do.' }),
    removed: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Gone before their turn, by retention or damage.' }),
    ),
  },
  CLOSED,
);
const PART = Type.Object(
  {
    subscriptionId: UUID,
    state: wordSchema(['open', 'done', 'failed', 'cancelled', 'gone']),
    counts: COUNTS,
    endedAtMs: Type.Optional(MILLISECONDS),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }, CLOSED)),
    at: Type.Record(Type.String(), Type.Unknown(), { description: 'From where its kind goes on.' }),
  },
  CLOSED,
);
const WORD = Type.Object(
  { what: wordSchema(['started', 'paused', 'resumed', 'cancelled']), atMs: MILLISECONDS, by: Type.String() },
  CLOSED,
);

export const RUN_SCHEMAS: Components = {
  ReplayRequest: Type.Object(
    {
      from: Type.Optional(
        Type.Union(PLACE, {
          description: 'Where the range begins: a time, a cursor, or the oldest event (default).',
          ...spelled('fromTimestamp', 'fromTime', 'startTime', 'since', 'cursor'),
        }),
      ),
      to: Type.Optional(
        Type.Union(PLACE, {
          description: 'Where it ends; a time is not part of it. At most the newest event when it is asked for.',
          ...spelled('toTimestamp', 'toTime', 'endTime', 'until'),
        }),
      ),
      topic: Type.Optional(
        Type.String({ minLength: 1, description: 'Topic pattern.', ...spelled('topicPattern', 'pattern') }),
      ),
      types: Type.Optional(Type.Unsafe({ ...TEXTS, description: 'Patterns over the type.', ...spelled('type') })),
      sources: Type.Optional(Type.Unsafe({ ...TEXTS, ...spelled('source') })),
      userId: Type.Optional(Type.String({ minLength: 1 })),
      projectId: Type.Optional(Type.String({ minLength: 1 })),
      correlationId: Type.Optional(Type.String({ minLength: 1 })),
      subscriptions: Type.Optional(
        Type.Unsafe({
          ...TEXTS,
          description: `Ids or names of subscriptions, or of the services that own them, ${SUBSCRIPTIONS_MAX} at most. Default: every one that matches.`,
          ...spelled('subscriptionIds', 'subscription', 'subscribers', 'subscriberIds', 'subscriber'),
        }),
      ),
      speed: Type.Optional(
        Type.Union([wordSchema(['original', 'max']), Type.Number({ exclusiveMinimum: 0, maximum: 1_000_000 })], {
          default: 'max',
          description: 'As recorded, as fast as live deliveries leave room for, or events per second and subscription.',
        }),
      ),
      factor: Type.Optional(
        Type.Number({ minimum: 0.001, maximum: 1_000_000, description: 'How many times as fast as recorded.' }),
      ),
      note: Type.Optional(Type.String({ maxLength: NOTE_CHARACTERS_MAX, description: 'Why; kept with the run.' })),
      dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only say what it would do.' })),
    },
    { ...CLOSED, examples: [{ from: '2026-11-20T08:00:00Z', topic: 'order.*', subscriptions: ['billing'] }] },
  ),
  ReplayPreview: Type.Object(
    {
      dryRun: Type.Literal(true),
      count: Type.Integer({ minimum: 0, description: 'Deliveries that it would make.' }),
      complete: Type.Boolean({ description: 'False when the range holds more than was looked at.' }),
      subscriptions: Type.Array(Type.Object({ id: UUID, name: Type.Optional(Type.String()), count: COUNT }, CLOSED)),
      sample: Type.Array(component('Event')),
    },
    CLOSED,
  ),
  Run: Type.Object(
    {
      id: UUID,
      kind: KIND,
      state: wordSchema(['running', 'paused', 'done', 'failed', 'cancelled']),
      request: Type.Record(Type.String(), Type.Unknown(), { description: 'As it is understood.' }),
      note: Type.Optional(Type.String()),
      counts: COUNTS,
      parts: Type.Array(PART, { description: 'One per subscription.' }),
      words: Type.Array(WORD, { description: 'Who said what, the start first.' }),
      createdAtMs: MILLISECONDS,
      endedAtMs: Type.Optional(MILLISECONDS),
    },
    { ...CLOSED, description: 'A replay, redrive or discard, and how far it is.' },
  ),
  RunsPage: Type.Object({ data: Type.Array(component('Run')), nextCursor: NEXT_CURSOR }, CLOSED),
  RunFailure: Type.Object(
    {
      subscriptionId: UUID,
      eventId: UUID,
      topic: Type.String(),
      attempts: COUNT,
      errors: Type.Array(
        Type.Object(
          {
            ...{ attempt: COUNT, atMs: MILLISECONDS, code: Type.String(), message: Type.String() },
            metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
          },
          CLOSED,
        ),
      ),
      atMs: MILLISECONDS,
    },
    { ...CLOSED, description: 'A delivery that a replay gave up on.' },
  ),
  RunReportPage: Type.Object({ data: Type.Array(component('RunFailure')), nextCursor: NEXT_CURSOR }, CLOSED),
};

import type { Limits } from '@event-manager/core';
import Type, { type TSchema, type TSchemaOptions } from 'typebox';
import { endpointSchema } from './address-schemas.ts';
import { type ComponentsOf, component, spelled } from './component.ts';
import { cursorSchema, momentSchema, NEXT_CURSOR, patternSchema, textSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const COUNT = Type.Integer({ minimum: 0 });
const MILLISECONDS = Type.Number({ description: 'Wall clock, milliseconds since 1970.' });
const UUID = Type.String({ format: 'uuid' });
const KIND = wordSchema(['replay', 'redrive', 'discard']);
const SUBSCRIPTION = Type.String({ format: 'subscription-name' });
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
  Type.Object({ cursor: cursorSchema() }, CLOSED),
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
    waiting: Type.Optional(
      Type.Literal(true, {
        description: 'It waits for its turn: a process has 16 replays of subscriptions open at a time.',
      }),
    ),
    endedAtMs: Type.Optional(MILLISECONDS),
    skippedFor: Type.Optional(
      Type.Record(Type.String(), COUNT, { description: 'Why some were skipped, and how many for each reason.' }),
    ),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }, CLOSED)),
    at: Type.Record(Type.String(), Type.Unknown(), { description: 'From where its kind goes on.' }),
  },
  CLOSED,
);
const WORD = Type.Object(
  { what: wordSchema(['started', 'paused', 'resumed', 'cancelled']), atMs: MILLISECONDS, by: Type.String() },
  CLOSED,
);

const RUN = Type.Object(
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
);

const note = (): TSchema =>
  Type.String({ maxLength: NOTE_CHARACTERS_MAX, pattern: '^[^\\u0000]*$', description: 'Why; kept.' });

/** What a replay may be asked for. */
const replayRequest = (limits: Limits): TSchema =>
  Type.Object(
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
        patternSchema(limits, { description: 'Topic pattern.', ...spelled('topicPattern', 'pattern') }),
      ),
      types: Type.Optional(
        listed(patternSchema(limits), limits, { description: 'Patterns over the type.', ...spelled('type') }),
      ),
      sources: Type.Optional(listed(textSchema(limits), limits, spelled('source'))),
      userId: Type.Optional(textSchema(limits)),
      projectId: Type.Optional(textSchema(limits)),
      correlationId: Type.Optional(textSchema(limits)),
      subscriptions: Type.Optional(
        Type.Union([SUBSCRIPTION, Type.Array(SUBSCRIPTION, { minItems: 1, maxItems: SUBSCRIPTIONS_MAX })], {
          description:
            'Ids or names of subscriptions, or of the services that own them. Default: every one that matches.',
          ...spelled('subscriptionIds', 'subscription', 'subscribers', 'subscriberIds', 'subscriber'),
        }),
      ),
      all: Type.Optional(
        Type.Boolean({
          description:
            'Everything that is kept, to everybody; needed where neither `from`, nor a subscription, nor a field of the events says which are meant.',
        }),
      ),
      speed: Type.Optional(
        Type.Union(
          [
            wordSchema(['original', 'max']),
            Type.Number({ minimum: 0.001, maximum: 1_000_000 }),
            Type.Object({ factor: Type.Number({ minimum: 0.001, maximum: 1_000_000 }) }, CLOSED),
          ],
          {
            default: 'max',
            description:
              'As recorded, or `factor` times as fast; as fast as live deliveries leave room for; or events per second and subscription.',
          },
        ),
      ),
      target: Type.Optional(
        Type.Union([target(limits), Type.Object({ endpoint: target(limits, spelled('url')) }, CLOSED)], {
          description:
            'Where to send the events instead of the way of their subscriptions, unsigned, with a breaker of its own.',
        }),
      ),
      note: Type.Optional(note()),
      dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only say what it would do.' })),
    },
    { ...CLOSED, examples: [{ from: '2026-11-20T08:00:00Z', topic: 'order.*', subscriptions: ['billing'] }] },
  );

function target(limits: Limits, options: TSchemaOptions = {}): TSchema {
  return endpointSchema(limits, ['https?'], options);
}

/** One or a list of them. */
function listed(one: TSchema, { filterEntriesMax }: Limits, options: TSchemaOptions): TSchema {
  return Type.Union([one, Type.Array(one, { minItems: 1, maxItems: filterEntriesMax })], options);
}

export const runSchemas: ComponentsOf = (limits) => ({
  ReplayRequest: replayRequest(limits),
  ResetRequest: Type.Object(
    {
      to: Type.Union(PLACE, {
        description: 'It goes on behind this: `earliest`, `latest`, a time or a cursor.',
        ...spelled('from', 'startFrom', 'cursor', 'time', 'timestamp'),
      }),
      note: Type.Optional(note()),
    },
    { ...CLOSED, examples: [{ to: '2026-11-20T08:00:00Z', note: 'billing was broken' }] },
  ),
  SubscriptionReset: Type.Object(
    {
      id: UUID,
      from: Type.String({ description: 'Cursor: everything at or before it was settled.' }),
      to: Type.String({ description: 'Cursor behind which it goes on.' }),
      dropped: Type.Integer({ minimum: 0, description: 'Deliveries and keys that waited and are not owed any more.' }),
      atMs: MILLISECONDS,
      by: Type.String({ description: 'Who asked for it.' }),
      note: Type.Optional(Type.String()),
    },
    CLOSED,
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
  Run: RUN,
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
});

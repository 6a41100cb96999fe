import type { Limits } from '@event-manager/core';
import Type, { type TSchema } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import {
  BODY_ERRORS,
  json,
  READ_ERRORS,
  type RouteDocument,
  type RouteDocuments,
  WRITE_ERRORS,
} from './route-document.ts';
import { momentSchema, patternSchema, wholeSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const ENTRIES_MAX = 1_000;
const NOTE_CHARACTERS_MAX = 1_000;
const RATE_MAX = 100_000;
const tag = 'Dead letters';
const COUNT = Type.Integer({ minimum: 0 });
const MILLISECONDS = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' });
const UUID = Type.String({ format: 'uuid' });
const BY_ID = { id: Type.String({ format: 'uuid', description: 'Id of a dead letter.' }) };

const STARTED = {
  200: { description: 'What is meant, with `dryRun`.', content: json(component('SelectedLetters')) },
  202: { description: 'It goes on by itself.', content: json(component('Run')) },
};
const ERRORS = [
  'invalid_run',
  'invalid_pattern',
  'dead_letter_not_found',
  'subscription_not_found',
  'confirmation_required',
  'too_many_runs',
  ...BODY_ERRORS,
  ...READ_ERRORS,
  ...WRITE_ERRORS,
] as const satisfies RouteDocument['errors'];
const EDIT_ERRORS = [
  'invalid_event',
  'event_too_large',
  'schema_violation',
  'topic_not_declared',
] as const satisfies RouteDocument['errors'];

export const REDRIVE_DOCUMENTS: RouteDocuments = {
  'GET /dead-letters/groups': {
    operationId: 'groupDeadLetters',
    tag,
    summary: 'The open dead letters by their causes',
    description:
      'Those of one subscription with one error code and the same words, numbers, ids and quoted text aside.',
    query: {
      subscriptionId: Type.Optional(
        Type.String({
          format: 'subscription-name',
          minLength: 1,
          description: 'Only those of one subscription, by its id or name.',
        }),
      ),
    },
    answers: { 200: { description: 'The latest error first.', content: json(component('LetterGroups')) } },
    errors: ['invalid_query', 'invalid_run', 'subscription_not_found', ...READ_ERRORS],
  },
  'POST /dead-letters/redrive': {
    operationId: 'redriveDeadLetters',
    tag,
    summary: 'Deliver dead letters once more',
    body: json(component('RedriveIn')),
    answers: STARTED,
    errors: [...ERRORS, ...EDIT_ERRORS],
  },
  'POST /dead-letters/:id/redrive': {
    operationId: 'redriveDeadLetter',
    tag,
    summary: 'Deliver one dead letter once more',
    description: 'With `payload` in place of that of its event. The body may be left out.',
    path: BY_ID,
    body: json(component('RedriveOneIn')),
    answers: STARTED,
    errors: [...ERRORS, ...EDIT_ERRORS],
  },
  'POST /dead-letters/discard': {
    operationId: 'discardDeadLetters',
    tag,
    summary: 'Close dead letters for good',
    body: json(component('DiscardIn')),
    answers: STARTED,
    errors: ERRORS,
  },
  'POST /dead-letters/:id/discard': {
    operationId: 'discardDeadLetter',
    tag,
    summary: 'Close one dead letter for good',
    description: 'The body may be left out.',
    path: BY_ID,
    body: json(component('DiscardOneIn')),
    answers: STARTED,
    errors: ERRORS,
  },
};

/** What is found of letters. */
const FOUND: Components = {
  LetterGroup: Type.Object(
    {
      fingerprint: UUID,
      subscriptionId: UUID,
      code: Type.String({ description: 'Of the last error.' }),
      words: Type.String({ description: 'Its words, with `…` for what differs from one event to the next.' }),
      count: COUNT,
      firstAtMs: MILLISECONDS,
      latestAtMs: MILLISECONDS,
      sampleId: Type.String({ format: 'uuid', description: 'The latest dead letter of it.' }),
      reason: Type.String({ description: 'Why that was given up.' }),
    },
    CLOSED,
  ),
  LetterGroups: Type.Object(
    {
      data: Type.Array(component('LetterGroup')),
      complete: Type.Boolean({ description: 'False when there are more than one question may look at.' }),
    },
    CLOSED,
  ),
  SelectedLetters: Type.Object(
    {
      count: COUNT,
      complete: Type.Boolean({ description: 'False when there are at least so many.' }),
      sample: Type.Array(component('DeadLetter'), { description: 'The first ten.' }),
      groups: Type.Array(component('LetterGroup')),
      subscriptions: Type.Array(Type.Object({ subscriptionId: UUID, count: COUNT }, CLOSED)),
    },
    CLOSED,
  ),
};

export function redriveSchemas(limits: Limits): Components {
  const text = (charactersMax: number) =>
    Type.String({ minLength: 1, maxLength: charactersMax, pattern: '^[^\\u0000]+$' });
  const name = Type.Optional(text(limits.nameCharactersMax));
  const several = (entry: TSchema, ...others: readonly string[]) =>
    Type.Optional(Type.Union([entry, Type.Array(entry, { minItems: 1, maxItems: ENTRIES_MAX })], spelled(...others)));
  const pattern = patternSchema(limits);
  const selection = {
    ids: several(UUID, 'id', 'deadLetterId', 'deadLetterIds'),
    subscriptionIds: several(
      { ...text(limits.nameCharactersMax), format: 'subscription-name' },
      'subscriptionId',
      'subscription',
      'subscriptions',
      'subscriberIds',
    ),
    errorCodes: several(text(limits.nameCharactersMax), 'errorCode', 'error'),
    fingerprints: several(UUID, 'fingerprint'),
    topic: Type.Optional(patternSchema(limits, spelled('topicPattern'))),
    types: several(pattern, 'type', 'eventType', 'eventTypes'),
    correlationId: name,
    userId: Type.Optional(text(limits.nameCharactersMax)),
    projectId: Type.Optional(text(limits.nameCharactersMax)),
    from: Type.Optional(momentSchema(spelled('since', 'fromMs', 'fromTimestamp', 'deadSince'))),
    to: Type.Optional(momentSchema(spelled('until', 'toMs', 'toTimestamp', 'deadUntil'))),
  };
  const how = {
    note: Type.Optional({ ...text(NOTE_CHARACTERS_MAX), ...spelled('reason') }),
    confirm: Type.Optional(
      wholeSchema(1, Number.MAX_SAFE_INTEGER, {
        description: 'How many are known to be meant; needed where it is many.',
      }),
    ),
    dryRun: Type.Optional(Type.Boolean({ description: 'Only say which letters are meant.' })),
  };
  const redrive = {
    rate: Type.Optional(
      wholeSchema(1, RATE_MAX, {
        default: 100,
        description: 'Per second and subscription.',
        ...spelled('ratePerSecond'),
      }),
    ),
    force: Type.Optional(Type.Boolean({ description: 'Also those that were redriven as often as may be.' })),
  };
  const payload = Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'In place of that of the event, which is kept.' }),
  );
  const many = {
    ...selection,
    except: Type.Optional(Type.Array(UUID, { minItems: 1, maxItems: ENTRIES_MAX, description: 'Letters left out.' })),
    all: Type.Optional(Type.Boolean({ description: 'Every open letter; needed where no field says which.' })),
  };
  return {
    RedriveIn: Type.Object(
      { ...many, ...how, ...redrive, payload },
      { ...CLOSED, examples: [{ errorCodes: ['http_503'] }] },
    ),
    RedriveOneIn: Type.Object({ ...how, ...redrive, payload }, { ...CLOSED, examples: [{ payload: { amount: 12 } }] }),
    DiscardIn: Type.Object({ ...many, ...how }, { ...CLOSED, examples: [{ errorCodes: ['http_410'] }] }),
    DiscardOneIn: Type.Object(how, { ...CLOSED, examples: [{ note: 'test data' }] }),
    ...FOUND,
  };
}

import Type, { type TSchema } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { BODY_ERRORS, json, type RouteDocument, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import { REPLAY_MARK } from './run-schemas.ts';
import { wholeSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const PULL_MAX = 1_000;
const WAIT_MS_MAX = 30_000;
const DAY_MS = 86_400_000;
const TOKEN_CHARACTERS_MAX = 64;
const BY_ID = { id: Type.String({ format: 'uuid', description: 'Id of a subscription without endpoint.' }) };
const tag = 'Pulling';
const ERRORS = ['subscription_not_found', 'not_supported', 'invalid_request', ...BODY_ERRORS] as const;
const TOO_LATE = 'Those that came too late are named.';

/** What is pulled, and how it is answered. */
export const PULL_SCHEMAS: Components = {
  PullIn: Type.Object(
    {
      max: Type.Optional(wholeSchema(1, PULL_MAX, { default: 10, description: 'Deliveries at the most.' })),
      waitMs: Type.Optional(
        wholeSchema(0, WAIT_MS_MAX, {
          default: 0,
          description: 'How long to wait for the first one, milliseconds.',
          ...spelled('wait'),
        }),
      ),
    },
    { ...CLOSED, examples: [{ max: 10, waitMs: 20_000 }] },
  ),
  LeasesIn: Type.Object({ deliveries: tokens() }, CLOSED),
  NackIn: Type.Object(
    {
      deliveries: tokens(),
      retry: Type.Optional(Type.Boolean({ default: true, description: '`false` makes dead letters of them at once.' })),
      afterMs: Type.Optional(wholeSchema(0, DAY_MS, { description: 'Not before so many milliseconds.' })),
      error: Type.Optional(Type.String({ maxLength: 1_024, description: 'Why; kept with them.' })),
      metadata: Type.Optional(
        Type.Object({}, { minProperties: 1, description: 'Kept besides: at most 1,024 characters of JSON.' }),
      ),
    },
    CLOSED,
  ),
  PulledDeliveries: Type.Object(
    {
      deliveries: Type.Array(
        Type.Object(
          {
            delivery: Type.String({ description: 'Names this lease; used once.' }),
            attempt: Type.Integer({ minimum: 1 }),
            replay: Type.Optional(REPLAY_MARK),
            leaseUntil: Type.String({ format: 'date-time' }),
            event: component('Event'),
          },
          CLOSED,
        ),
      ),
    },
    CLOSED,
  ),
  PullAnswer: Type.Object({ stale: stale() }, CLOSED),
  ExtendAnswer: Type.Object({ stale: stale(), leaseUntil: Type.String({ format: 'date-time' }) }, CLOSED),
};

export const PULL_DOCUMENTS: RouteDocuments = {
  'POST /subscriptions/:id/pull': {
    operationId: 'pullDeliveries',
    tag,
    summary: 'Ask for deliveries',
    description:
      'What is owed, each leased for the `timeoutMs` of the subscription; an empty list when nothing came within `waitMs`.',
    path: BY_ID,
    body: json(component('PullIn')),
    answers: { 200: { description: 'At most `max` deliveries.', content: json(component('PulledDeliveries')) } },
    errors: [...ERRORS, ...WRITE_ERRORS],
  },
  'POST /subscriptions/:id/ack': answerTo({
    operationId: 'acknowledgeDeliveries',
    summary: 'They are done',
    body: 'LeasesIn',
    answer: 'PullAnswer',
  }),
  'POST /subscriptions/:id/nack': answerTo({
    operationId: 'refuseDeliveries',
    summary: 'They failed: tried again by the retry policy',
    body: 'NackIn',
    answer: 'PullAnswer',
  }),
  'POST /subscriptions/:id/extend': answerTo({
    operationId: 'extendDeliveries',
    summary: 'They take longer: their time begins anew',
    body: 'LeasesIn',
    answer: 'ExtendAnswer',
  }),
};

interface AnswerTo {
  readonly operationId: string;
  readonly summary: string;
  /** Names of components. */
  readonly body: string;
  readonly answer: string;
}

/** What is said of deliveries that were pulled. */
function answerTo({ operationId, summary, body, answer }: AnswerTo): RouteDocument {
  return {
    ...{ operationId, tag, summary, path: BY_ID },
    body: json(component(body)),
    answers: { 200: { description: TOO_LATE, content: json(component(answer)) } },
    errors: [...ERRORS, 'store_failed'],
  };
}

function tokens(): TSchema {
  const token = Type.String({ minLength: 1, maxLength: TOKEN_CHARACTERS_MAX });
  return Type.Array(token, {
    minItems: 1,
    maxItems: PULL_MAX,
    description: 'As they were called when they were pulled.',
  });
}

function stale(): TSchema {
  return Type.Array(Type.String(), { description: 'Too late: their time was over, and they come again.' });
}

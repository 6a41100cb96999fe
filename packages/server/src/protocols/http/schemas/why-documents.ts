import { WHY_REASONS, WHY_STEPS } from '@event-manager/core';
import Type from 'typebox';
import { type Components, component } from './component.ts';
import { json, READ_ERRORS, type RouteDocuments } from './route-document.ts';
import { cursorSchema, NEXT_CURSOR, wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const PAGE_MAX = 100;
const tag = 'Events';
const MOMENT = Type.String({ format: 'date-time' });
const STATUS = wordSchema([...new Set(Object.values(WHY_REASONS))], {
  description: 'What the reason means for the event.',
});
const REASON = wordSchema(Object.keys(WHY_REASONS), { description: 'Stable within a major version.' });
const WORDS = Type.String({ description: 'A sentence for people.' });
const CERTAIN = Type.Boolean({
  description: 'False where what is kept does not tell for sure; `note` says what is assumed.',
});

const FINDING = {
  reason: REASON,
  words: WORDS,
  advice: Type.Optional(
    Type.Object(
      { words: Type.String(), command: Type.Optional(Type.String()) },
      { ...CLOSED, description: 'What may be done.' },
    ),
  ),
  facts: Type.Object({}, { additionalProperties: true, description: 'What the sentence says, for programs.' }),
};

const STEP = Type.Object(
  {
    at: MOMENT,
    what: wordSchema(WHY_STEPS),
    attempt: Type.Optional(Type.Integer({ minimum: 0 })),
    error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }, CLOSED)),
    by: Type.Optional(Type.String({ description: 'The process that settled it.' })),
  },
  CLOSED,
);

const EVENT = Type.Object(
  { topic: Type.String(), type: Type.String(), priority: Type.String(), recordedAt: MOMENT },
  { ...CLOSED, description: 'The event, where it is kept.' },
);

export const WHY_SCHEMAS: Components = {
  WhyFinding: Type.Object(FINDING, CLOSED),
  Why: Type.Object(
    {
      subscriptionId: Type.String({ format: 'uuid' }),
      eventId: Type.String(),
      status: STATUS,
      ...FINDING,
      certain: CERTAIN,
      note: Type.Optional(Type.String()),
      also: Type.Array(component('WhyFinding'), { description: 'What holds besides.' }),
      event: Type.Optional(EVENT),
      timeline: Type.Array(STEP, { description: 'In the order of time.' }),
    },
    CLOSED,
  ),
  EventDelivery: Type.Object(
    {
      subscriptionId: Type.String({ format: 'uuid' }),
      name: Type.Optional(Type.String()),
      status: STATUS,
      reason: REASON,
      words: WORDS,
      certain: CERTAIN,
    },
    CLOSED,
  ),
  EventDeliveriesPage: Type.Object(
    {
      data: Type.Array(component('EventDelivery')),
      nextCursor: NEXT_CURSOR,
      notMatching: Type.Integer({ minimum: 0, description: 'Subscriptions whose pattern the topic does not match.' }),
    },
    CLOSED,
  ),
};

export const WHY_DOCUMENTS: RouteDocuments = {
  'GET /subscriptions/:id/why/:eventId': {
    operationId: 'explainDelivery',
    tag,
    summary: 'Why an event did or did not come to a subscription',
    description: 'An event that nobody knows is an answer, too.',
    path: {
      id: Type.String({ format: 'uuid', description: 'Id of a subscription.' }),
      eventId: Type.String({ format: 'uuid', description: 'Id of an event.' }),
    },
    answers: { 200: { description: 'The reason, and what happened so far.', content: json(component('Why')) } },
    errors: ['subscription_not_found', ...READ_ERRORS],
  },
  'GET /events/:id/deliveries': {
    operationId: 'listDeliveries',
    tag,
    summary: 'What became of an event at each subscription',
    path: { id: Type.String({ format: 'uuid', description: 'Id of an event.' }) },
    query: {
      limit: Type.Optional(wholeSchema(1, PAGE_MAX, { default: PAGE_MAX })),
      cursor: Type.Optional(cursorSchema('deliveries')),
      all: Type.Optional(
        wordSchema(['true', 'false'], { description: 'Also subscriptions whose pattern the topic does not match.' }),
      ),
    },
    answers: { 200: { description: 'A page of deliveries.', content: json(component('EventDeliveriesPage')) } },
    errors: ['event_not_found', 'invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
};

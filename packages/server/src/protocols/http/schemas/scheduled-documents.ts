import Type from 'typebox';
import { type Components, component } from './component.ts';
import { json, READ_ERRORS, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import { cursorSchema, NEXT_CURSOR, wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const PAGE_MAX = 1_000;
const MOMENT = Type.String({ format: 'date-time' });
const ID = Type.String({ format: 'uuid', description: 'Id of an event that waits for its time, in either case.' });
const FIELDS = {
  id: Type.String({ format: 'uuid' }),
  scheduledFor: Type.String({ format: 'date-time', description: 'When it is published.' }),
  acceptedAt: MOMENT,
  type: Type.String(),
  source: Type.String(),
  topic: Type.String({ description: 'Canonical: levels joined by `/`.' }),
  priority: wordSchema(['CRITICAL', 'HIGH', 'NORMAL', 'LOW']),
};

export const SCHEDULED_SCHEMAS: Components = {
  Scheduled: Type.Object(FIELDS, { ...CLOSED, description: 'An event that waits for its time.' }),
  ScheduledWithEvent: Type.Object({ ...FIELDS, event: component('Event') }, CLOSED),
  ScheduledPage: Type.Object({ data: Type.Array(component('Scheduled')), nextCursor: NEXT_CURSOR }, CLOSED),
  Cancelled: Type.Object(
    {
      id: Type.String({ format: 'uuid' }),
      cancelled: Type.Boolean({ description: 'False when it came too late: the event is published already.' }),
    },
    CLOSED,
  ),
};

export const SCHEDULED_DOCUMENTS: RouteDocuments = {
  'GET /scheduled': {
    operationId: 'listScheduled',
    tag: 'Scheduled events',
    summary: 'Events that wait for their time, the earliest first',
    query: {
      limit: Type.Optional(wholeSchema(1, PAGE_MAX, { default: PAGE_MAX })),
      cursor: Type.Optional(cursorSchema('scheduled')),
    },
    answers: { 200: { description: 'A page of scheduled events.', content: json(component('ScheduledPage')) } },
    errors: ['invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'GET /scheduled/:id': {
    operationId: 'getScheduled',
    tag: 'Scheduled events',
    summary: 'One event that waits for its time',
    path: { id: ID },
    answers: { 200: { description: 'The event and its time.', content: json(component('ScheduledWithEvent')) } },
    errors: ['scheduled_not_found', ...READ_ERRORS],
  },
  'DELETE /scheduled/:id': {
    operationId: 'cancelScheduled',
    tag: 'Scheduled events',
    summary: 'Cancel an event that waits for its time',
    path: { id: ID },
    answers: { 200: { description: 'Whether it was in time.', content: json(component('Cancelled')) } },
    errors: ['scheduled_not_found', ...WRITE_ERRORS, 'corrupt_record'],
  },
};

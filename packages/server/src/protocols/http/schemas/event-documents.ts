import type { Limits } from '@event-manager/core';
import Type, { type TSchema } from 'typebox';
import { component, spelled } from './component.ts';
import { BODY_ERRORS, json, READ_ERRORS, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import {
  cursorSchema,
  momentParameter,
  nameSchema,
  patternSchema,
  prioritySchema,
  textSchema,
  wholeSchema,
  wordSchema,
} from './text-schemas.ts';

const NDJSON_TYPE = 'application/x-ndjson';
const PAGE_MAX = 1_000;
const PRIORITIES_MAX = 4;
const ID = Type.String({ format: 'uuid', description: 'Id of an event, in either case.' });

export function eventDocuments(limits: Limits): RouteDocuments {
  return {
    'POST /events': PUBLISH,
    'POST /events/batch': PUBLISH_BATCH,
    'GET /events': {
      operationId: 'findEvents',
      tag: 'Events',
      summary: 'Find stored events',
      description:
        'Parameters are ANDed, repetitions of one are ORed. A page may hold fewer events than `limit`; only `nextCursor: null` is the end.',
      query: findParameters(limits),
      answers: {
        200: {
          description: 'A page of events.',
          headers: { link: Type.String({ description: 'The next page, `rel="next"`; absent on the last one.' }) },
          content: json(component('EventsPage')),
        },
      },
      errors: ['invalid_query', 'invalid_pattern', 'invalid_cursor', 'not_supported', ...READ_ERRORS],
    },
    'GET /events/:id': {
      operationId: 'getEvent',
      tag: 'Events',
      summary: 'One stored event',
      path: { id: ID },
      answers: { 200: { description: 'The event as it is stored.', content: json(component('Event')) } },
      errors: ['event_not_found', ...READ_ERRORS],
    },
    'GET /events/stream': {
      operationId: 'streamEvents',
      tag: 'Events',
      summary: 'Read the log as server-sent events',
      description:
        'Each event is `id:` (the cursor behind it), `event: event`, `data:` (the stored JSON). `event: gap` says that events are not there any more.',
      query: streamQuery(limits),
      headers: {
        'last-event-id': Type.Optional(cursorSchema('events', { description: 'Beats `from` and `cursor`.' })),
      },
      answers: { 200: { description: 'A stream.', content: { 'text/event-stream': Type.String() } } },
      errors: [
        'invalid_query',
        'invalid_pattern',
        'invalid_filter',
        'invalid_context',
        'invalid_json',
        'too_deep',
        'not_supported',
        'invalid_cursor',
        'overloaded',
        'closed',
      ],
    },
  };
}

const EVENT_ERRORS = [
  'invalid_event',
  'invalid_topic',
  'topic_reserved',
  'event_too_large',
  'id_conflict',
  'schema_violation',
  'topic_not_declared',
  'too_many_scheduled',
] as const;

const PUBLISH = {
  operationId: 'publishEvent',
  tag: 'Events',
  summary: 'Publish an event',
  description: 'Answered when the event is as durable as `GET /health` says. Safe to repeat under the same id.',
  body: json(component('EventIn')),
  answers: {
    200: { description: 'The same event was stored or scheduled before.', content: json(component('Published')) },
    201: { description: 'The event is stored.', content: json(component('Published')) },
    202: { description: 'The event is kept until its time.', content: json(component('Published')) },
  },
  errors: [...EVENT_ERRORS, ...BODY_ERRORS, ...WRITE_ERRORS],
} as const;

const PUBLISH_BATCH = {
  operationId: 'publishEvents',
  tag: 'Events',
  summary: 'Publish many events',
  description:
    'Good events are stored, bad ones have their own error. As newline-delimited JSON of any length one line is answered for each line while the body is read.',
  body: { ...json(component('BatchIn')), [NDJSON_TYPE]: Type.String({ description: 'One EventIn per line.' }) },
  answers: {
    200: { description: 'All were stored before.', content: json(component('BatchAnswer')) },
    201: { description: 'All are stored.', content: json(component('BatchAnswer')) },
    202: { description: 'All wait for their time.', content: json(component('BatchAnswer')) },
    207: {
      description: 'Look at each result.',
      content: {
        ...json(component('BatchAnswer')),
        [NDJSON_TYPE]: Type.String({ description: 'One BatchLine per line.' }),
      },
    },
  },
  errors: ['invalid_event', 'batch_too_large', ...BODY_ERRORS, ...WRITE_ERRORS],
} as const;

function findParameters(limits: Limits) {
  const maxItems = limits.filterEntriesMax;
  const name = (...others: string[]) => Type.Optional(textSchema(limits, spelled(...others)));
  const moment = (description: string, ...others: string[]) =>
    Type.Optional(
      momentParameter({
        description: `${description} Text, or milliseconds since 1970.`,
        ...spelled(...others),
      }),
    );
  return {
    topic: Type.Optional(patternSchema(limits, { description: 'Pattern over topics.' })),
    type: Type.Optional(
      Type.Array(patternSchema(limits), {
        minItems: 1,
        maxItems,
        description: 'Patterns over types.',
        ...spelled('types'),
      }),
    ),
    source: Type.Optional(Type.Array(textSchema(limits), { minItems: 1, maxItems, ...spelled('sources') })),
    priority: Type.Optional(
      Type.Array(prioritySchema(), { minItems: 1, maxItems: PRIORITIES_MAX, ...spelled('priorities') }),
    ),
    userId: name(),
    projectId: name(),
    correlationId: name(),
    causationId: Type.Optional(
      Type.Array(textSchema(limits), {
        minItems: 1,
        maxItems,
        description: 'Ids of causes.',
        ...spelled('causationIds'),
      }),
    ),
    from: moment('Recorded at or after.', 'fromMs', 'startTime', 'since'),
    to: moment('Recorded before.', 'toMs', 'endTime', 'until'),
    limit: Type.Optional(wholeSchema(1, PAGE_MAX, { default: 100 })),
    cursor: Type.Optional(cursorSchema('events')),
    order: Type.Optional(wordSchema(['asc', 'desc'], { description: 'Oldest or newest first.' })),
    direction: Type.Optional(wordSchema(['forward', 'backward'], { description: 'The same in other words.' })),
  };
}

function streamQuery(limits: Limits): Record<string, TSchema> {
  return {
    topic: Type.Optional(Type.Array(patternSchema(limits), { description: 'Patterns over topics; any of them.' })),
    filter: Type.Optional(
      Type.String({ contentMediaType: 'application/json', contentSchema: component('StreamFilter') }),
    ),
    subscriber: Type.Optional(
      nameSchema(limits, {
        description: 'Whose registered context the filter asks for relevance.',
        ...spelled('subscriberId', 'serviceName'),
      }),
    ),
    context: Type.Optional(
      Type.String({
        contentMediaType: 'application/json',
        contentSchema: component('RelevanceContextIn'),
        description: 'Used instead of a registered one.',
      }),
    ),
    from: Type.Optional(
      Type.Union([wordSchema(['latest', 'earliest']), cursorSchema('events')], { description: 'Default: latest.' }),
    ),
    cursor: Type.Optional(cursorSchema('events', { description: 'The same as a cursor in `from`, and beats it.' })),
  };
}

import type { Limits } from '@event-manager/core';
import Type from 'typebox';
import { type Components, component } from './component.ts';
import { eventDocuments } from './event-documents.ts';
import {
  BODY_ERRORS,
  json,
  type RouteAnswer,
  type RouteDocument,
  type RouteDocuments,
  WRITE_ERRORS,
} from './route-document.ts';
import { cursorSchema, NEXT_CURSOR, topicSchema, wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const LIST_MAX = 1_000;
const DESCRIPTION_CHARACTERS_MAX = 4_096;
const COUNT = Type.Integer({ minimum: 0 });
const MOMENT = Type.String({ format: 'date-time' });
const tag = 'Topics';
const DECLARED: RouteAnswer = { description: 'The topic.', content: json(component('Topic')) };
const LOCATION = { location: Type.String({ description: 'Where it is.' }) };

/** Any schema of JSON Schema 2020-12 within the limits: a generator of data cannot know what that is. */
const JSON_SCHEMA = Type.Unsafe({
  type: ['object', 'boolean'],
  format: 'json-schema',
  description: 'A schema of JSON Schema 2020-12, which every payload on the topic has to fit.',
});

const DECLARE_ERRORS = ['invalid_topic', 'invalid_schema', 'schema_incompatible', 'revision_conflict'] as const;

const CREATE: RouteDocument = {
  operationId: 'createTopic',
  tag,
  summary: 'Declare a topic',
  description: 'No topic needs it. Stored events are held against a schema unless the compatibility is `none`.',
  body: json(component('TopicIn')),
  answers: {
    200: { ...DECLARED, description: 'It was declared like this before.', headers: LOCATION },
    201: { ...DECLARED, description: 'The topic is declared.', headers: LOCATION },
  },
  errors: [
    ...DECLARE_ERRORS,
    'topic_conflict',
    'topic_reserved',
    'too_many_topics',
    'not_supported',
    ...BODY_ERRORS,
    ...WRITE_ERRORS,
  ],
};

const REJECTIONS: RouteDocument = {
  operationId: 'listRejections',
  tag,
  summary: 'Events that were refused for what their topic asks',
  description:
    'Since the start of the service: numbers, and the last hundred. Without payloads: they are kept nowhere.',
  answers: { 200: { description: 'What was refused.', content: json(component('Rejections')) } },
  errors: [],
};

export function topicDocuments(limits: Limits): RouteDocuments {
  const events = eventDocuments(limits)['GET /events']!;
  const { topic: _topic, ...parameters } = events.query!;
  const byTopic = { topic: topicSchema(limits, { description: 'In either spelling; `/` inside is written `%2F`.' }) };
  return {
    'POST /topics': CREATE,
    'GET /topics': {
      operationId: 'listTopics',
      tag,
      summary: 'List declared topics by name',
      query: {
        limit: Type.Optional(wholeSchema(1, LIST_MAX, { default: 100 })),
        cursor: Type.Optional(cursorSchema('topics')),
      },
      answers: { 200: { description: 'A page of topics.', content: json(component('TopicsPage')) } },
      errors: ['invalid_query', 'invalid_cursor'],
    },
    'GET /topics/:topic': {
      operationId: 'getTopic',
      tag,
      summary: 'One declared topic',
      path: byTopic,
      answers: { 200: DECLARED },
      errors: ['topic_not_found', 'invalid_topic'],
    },
    'DELETE /topics/:topic': {
      operationId: 'removeTopic',
      tag,
      summary: 'Forget the declaration of a topic; what is stored stays',
      path: byTopic,
      answers: { 204: { description: 'It is gone: events on the topic have to fit nothing any more.' } },
      errors: ['topic_not_found', 'invalid_topic', ...WRITE_ERRORS],
    },
    'POST /topics/:topic/schemas': {
      operationId: 'addTopicSchema',
      tag,
      summary: 'Give a topic a new version of its schema',
      description: 'It holds for the next event. `checked` says how many stored events were held against it.',
      path: byTopic,
      body: json(component('TopicSchemaIn')),
      answers: {
        200: { ...DECLARED, description: 'The topic has this schema already.' },
        201: { ...DECLARED, description: 'The topic with its new version.' },
      },
      errors: [
        ...DECLARE_ERRORS,
        'topic_not_found',
        'too_many_topics',
        'not_supported',
        ...BODY_ERRORS,
        ...WRITE_ERRORS,
      ],
    },
    'GET /topics/:topic/events': {
      ...events,
      operationId: 'findTopicEvents',
      tag,
      summary: 'Find events stored on one topic, declared or not',
      path: byTopic,
      query: parameters,
      errors: [...events.errors, 'invalid_topic'],
    },
    'GET /rejections': REJECTIONS,
  };
}

export function topicSchemas(limits: Limits): Components {
  const changes = {
    description: Type.Optional(Type.String({ maxLength: DESCRIPTION_CHARACTERS_MAX, pattern: '^[^\\u0000]*$' })),
    compatibility: Type.Optional(
      wordSchema(['backward', 'none'], { description: 'Whether stored events have to fit a new version too.' }),
    ),
  };
  return {
    TopicIn: Type.Object(
      { topic: topicSchema(limits), schema: Type.Optional(JSON_SCHEMA), ...changes },
      { ...CLOSED, examples: [{ topic: 'order.created', schema: { type: 'object', required: ['total'] } }] },
    ),
    TopicSchemaIn: Type.Object(
      { schema: JSON_SCHEMA, ...changes },
      { ...CLOSED, examples: [{ schema: { type: 'object', properties: { total: { type: 'number' } } } }] },
    ),
    Topic: Type.Object(
      {
        topic: Type.String({ description: 'Spelled as it was declared.' }),
        description: Type.Optional(Type.String()),
        compatibility: wordSchema(['backward', 'none']),
        schema: Type.Optional(JSON_SCHEMA),
        versions: Type.Array(
          Type.Object({ version: Type.Integer({ minimum: 1 }), schema: JSON_SCHEMA, createdAt: MOMENT }, CLOSED),
        ),
        createdAt: MOMENT,
        updatedAt: MOMENT,
        checked: Type.Optional(
          Type.Object({ events: COUNT, complete: Type.Boolean({ description: 'These were all.' }) }, CLOSED),
        ),
      },
      CLOSED,
    ),
    TopicsPage: Type.Object({ data: Type.Array(component('Topic')), nextCursor: NEXT_CURSOR }, CLOSED),
    Rejections: Type.Object(
      {
        data: Type.Array(
          Type.Object(
            {
              rejectedAt: MOMENT,
              code: component('ErrorCode'),
              topic: Type.String(),
              type: Type.String(),
              source: Type.String(),
              eventId: Type.String({ format: 'uuid' }),
              principal: Type.String(),
              pointer: Type.String(),
              reason: Type.String(),
            },
            CLOSED,
          ),
        ),
        counts: Type.Array(
          Type.Object({ code: component('ErrorCode'), topic: Type.Optional(Type.String()), count: COUNT }, CLOSED),
        ),
      },
      CLOSED,
    ),
  };
}

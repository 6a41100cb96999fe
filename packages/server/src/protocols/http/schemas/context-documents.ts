import type { Limits } from '@event-manager/core';
import Type, { type TSchema } from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { BODY_ERRORS, json, type RouteAnswer, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import { cursorSchema, NEXT_CURSOR, textSchema, wholeSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const LIST_MAX = 1_000;
const tag = 'Contexts';
const REGISTERED: RouteAnswer = { description: 'The context.', content: json(component('SubscriberContext')) };

export function contextDocuments(limits: Limits): RouteDocuments {
  const bySubscriber = {
    subscriber: Type.String({
      minLength: 1,
      maxLength: limits.nameCharactersMax,
      // A path of an address cannot name the two: they mean this place and the one above.
      pattern: '^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f]+$',
      description: 'The `subscriber` of subscriptions.',
    }),
  };
  return {
    'GET /contexts': {
      operationId: 'listContexts',
      tag,
      summary: 'List registered contexts by subscriber',
      query: {
        limit: Type.Optional(wholeSchema(1, LIST_MAX, { default: 100 })),
        cursor: Type.Optional(cursorSchema('contexts')),
      },
      answers: { 200: { description: 'A page of contexts.', content: json(component('ContextsPage')) } },
      errors: ['invalid_query', 'invalid_cursor'],
    },
    'GET /contexts/:subscriber': {
      operationId: 'getContext',
      tag,
      summary: 'The context of one subscriber',
      path: bySubscriber,
      answers: { 200: REGISTERED },
      errors: ['context_not_found', 'invalid_context'],
    },
    'PUT /contexts/:subscriber': {
      operationId: 'registerContext',
      tag,
      summary: 'Register whom a subscriber works for',
      description: 'In place of the context before. It holds for the next event that is looked at for delivery.',
      path: bySubscriber,
      body: json(component('ContextIn')),
      answers: {
        200: { ...REGISTERED, description: 'The context in place of the one before.' },
        201: { ...REGISTERED, description: 'The context is registered.' },
      },
      errors: ['invalid_context', 'too_many_contexts', ...BODY_ERRORS, ...WRITE_ERRORS],
    },
    'DELETE /contexts/:subscriber': {
      operationId: 'removeContext',
      tag,
      summary: 'Forget the context of a subscriber',
      path: bySubscriber,
      answers: { 204: { description: 'It is gone: whatever names anybody is relevant again.' } },
      errors: ['context_not_found', 'invalid_context', ...WRITE_ERRORS],
    },
  };
}

export function contextSchemas(limits: Limits): Components {
  const fields = {
    userIds: ids(limits, 'userId', 'users'),
    projectIds: ids(limits, 'projectId', 'projects'),
    sessionIds: ids(limits, 'sessionId', 'sessions'),
  };
  const optional = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, Type.Optional(field)]));
  return {
    // What is needed is one of the three, which a list of alternatives says without making generators stumble.
    ContextIn: Type.Union(
      Object.entries(fields).map(([name, field]) => Type.Object({ ...optional, [name]: field }, CLOSED)),
      {
        description: `Whom a subscriber works for: at least one list, which may be empty; ${limits.contextEntriesMax} ids in all.`,
        examples: [{ userIds: ['u-1'], projectIds: ['p-1', 'p-2'] }],
      },
    ),
    RelevanceContextIn: Type.Object(optional, {
      ...CLOSED,
      description: 'Used instead of what the subscriber registered; one without lists is none.',
    }),
    SubscriberContext: Type.Object(
      {
        subscriber: Type.String(),
        userIds: Type.Array(Type.String()),
        projectIds: Type.Array(Type.String()),
        sessionIds: Type.Array(Type.String()),
        updatedAt: Type.String({ format: 'date-time' }),
      },
      CLOSED,
    ),
    RelevanceContext: Type.Object(
      {
        userIds: Type.Array(Type.String()),
        projectIds: Type.Array(Type.String()),
        sessionIds: Type.Array(Type.String()),
      },
      CLOSED,
    ),
    ContextsPage: Type.Object({ data: Type.Array(component('SubscriberContext')), nextCursor: NEXT_CURSOR }, CLOSED),
  };
}

function ids(limits: Limits, ...others: string[]): TSchema {
  return Type.Array(textSchema(limits), { maxItems: limits.contextEntriesMax, ...spelled(...others) });
}

import Type from 'typebox';
import { type Components, component } from './component.ts';
import { json, READ_ERRORS, type RouteDocuments } from './route-document.ts';
import { wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const MOMENT = Type.String({ format: 'date-time' });
const ID = Type.String({ format: 'uuid' });
const DEPTH_MAX = 100;
const EVENTS_MAX = 5_000;

export const GRAPH_SCHEMAS: Components = {
  EventGraph: Type.Object(
    {
      id: ID,
      events: Type.Array(component('GraphEvent'), { description: 'In the order of the log.' }),
      missing: Type.Array(component('MissingCause'), { description: 'Causes that are named and not kept.' }),
      complete: Type.Boolean({ description: 'False when there is more; `cut` says where.' }),
      cut: Type.Array(component('GraphCut')),
    },
    {
      ...CLOSED,
      description: 'What an event followed from, what followed from it, and what else belongs to its flow.',
    },
  ),
  GraphEvent: Type.Object(
    {
      id: ID,
      type: Type.String(),
      source: Type.String(),
      topic: Type.String(),
      priority: wordSchema(['CRITICAL', 'HIGH', 'NORMAL', 'LOW']),
      timestamp: MOMENT,
      recordedAt: MOMENT,
      correlationId: Type.Optional(Type.String()),
      causationId: Type.Optional(Type.String()),
      relation: wordSchema(['asked', 'cause', 'effect', 'flow']),
      distance: Type.Optional(Type.Integer({ minimum: 0, description: 'Steps from the event that was asked about.' })),
    },
    { ...CLOSED, description: 'An event of a graph, without its payload.' },
  ),
  MissingCause: Type.Object({ id: Type.String(), namedBy: Type.Array(ID) }, CLOSED),
  GraphCut: Type.Object(
    {
      direction: wordSchema(['causes', 'effects', 'flow']),
      reason: wordSchema(['depth', 'events', 'time']),
      at: Type.Array(ID, { description: 'Events from which it was not followed further.' }),
    },
    CLOSED,
  ),
};

export const GRAPH_DOCUMENTS: RouteDocuments = {
  'GET /events/:id/graph': {
    operationId: 'getEventGraph',
    tag: 'Events',
    summary: 'Causes and effects of a stored event',
    path: { id: Type.String({ format: 'uuid', description: 'Id of an event, in either case.' }) },
    query: {
      depth: Type.Optional(wholeSchema(0, DEPTH_MAX, { default: 10, description: 'Steps in either direction.' })),
      eventsMax: Type.Optional(wholeSchema(1, EVENTS_MAX, { default: 500, description: 'Events in the graph.' })),
    },
    answers: { 200: { description: 'The graph.', content: json(component('EventGraph')) } },
    errors: ['event_not_found', 'invalid_query', 'not_supported', ...READ_ERRORS],
  },
};

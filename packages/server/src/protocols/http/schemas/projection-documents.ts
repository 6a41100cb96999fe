import Type from 'typebox';
import { type Components, component } from './component.ts';
import { json, READ_ERRORS, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import { cursorSchema, NEXT_CURSOR, wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const PAGE_MAX = 1_000;
const KEY_CHARACTERS_MAX = 255;
const tag = 'Projections';
const CURSOR = Type.String({ description: 'Everything up to here is folded.' });
const byName = { name: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,100}$', description: 'Name of the projection.' }) };
const pageOf = (of: 'projections' | 'keys') => ({
  limit: Type.Optional(wholeSchema(1, PAGE_MAX, { default: 100 })),
  cursor: Type.Optional(cursorSchema(of)),
});

export const PROJECTION_SCHEMAS: Components = {
  Projection: Type.Object(
    {
      name: Type.String(),
      version: Type.Integer({ minimum: 1 }),
      topic: Type.String({ description: 'Pattern over the topics of its events.' }),
      isKeyed: Type.Boolean({ description: 'It has a state for each key.' }),
      position: CURSOR,
      folded: Type.Integer({ minimum: 0, description: 'Events that were folded.' }),
      states: Type.Integer({ minimum: 0 }),
      gaps: Type.Array(
        Type.Object(
          { cause: wordSchema(['trimmed', 'damaged']), from: Type.Integer(), through: Type.Integer() },
          { ...CLOSED, description: 'Events that were not there any more when their turn came.' },
        ),
      ),
      keptAt: Type.Optional(Type.String({ format: 'date-time' })),
    },
    { ...CLOSED, description: 'State that events are folded into, as it is kept.' },
  ),
  ProjectionsPage: Type.Object({ data: Type.Array(component('Projection')), nextCursor: NEXT_CURSOR }, CLOSED),
  ProjectionState: Type.Object(
    { state: Type.Unknown({ description: 'Any JSON; null where nothing is kept for the key.' }), position: CURSOR },
    CLOSED,
  ),
  ProjectionKeysPage: Type.Object({ data: Type.Array(Type.String()), nextCursor: NEXT_CURSOR }, CLOSED),
};

export const PROJECTION_DOCUMENTS: RouteDocuments = {
  'GET /projections': {
    operationId: 'listProjections',
    tag,
    summary: 'Projections that are kept, by name',
    query: pageOf('projections'),
    answers: { 200: { description: 'A page of projections.', content: json(component('ProjectionsPage')) } },
    errors: ['invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'GET /projections/:name': {
    operationId: 'getProjection',
    tag,
    summary: 'How far one projection is',
    path: byName,
    answers: { 200: { description: 'The projection.', content: json(component('Projection')) } },
    errors: ['projection_not_found', ...READ_ERRORS],
  },
  'GET /projections/:name/state': {
    operationId: 'getProjectionState',
    tag,
    summary: 'A state of a projection',
    path: byName,
    query: {
      key: Type.Optional(
        Type.String({ maxLength: KEY_CHARACTERS_MAX, description: 'Which one, if the projection has keys.' }),
      ),
    },
    answers: { 200: { description: 'The state that was kept last.', content: json(component('ProjectionState')) } },
    errors: ['projection_not_found', 'invalid_query', ...READ_ERRORS],
  },
  'GET /projections/:name/keys': {
    operationId: 'listProjectionKeys',
    tag,
    summary: 'Keys of a projection that have a state',
    path: byName,
    query: pageOf('keys'),
    answers: { 200: { description: 'A page of keys.', content: json(component('ProjectionKeysPage')) } },
    errors: ['projection_not_found', 'invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'DELETE /projections/:name': {
    operationId: 'removeProjection',
    tag,
    summary: 'Forget what a projection keeps',
    path: byName,
    answers: { 204: { description: 'It is gone; whoever folds it again begins with the oldest event.' } },
    errors: ['projection_not_found', 'projection_conflict', 'lease_lost', ...WRITE_ERRORS],
  },
};

import Type from 'typebox';
import { component } from './component.ts';
import { json, type RouteDocuments } from './route-document.ts';

const tag = 'Service';
const CLOSED = { additionalProperties: false };

export const HEALTH_DOCUMENTS: RouteDocuments = {
  'GET /livez': {
    operationId: 'isAlive',
    tag,
    summary: 'Is the process alive?',
    answers: { 200: { description: 'It is.', content: json(Type.Object({ status: Type.Literal('ok') }, CLOSED)) } },
    errors: [],
  },
  'GET /readyz': {
    operationId: 'isReady',
    tag,
    summary: 'Can events be taken?',
    answers: {
      200: { description: 'They can.', content: json(Type.Object({ status: Type.Literal('ready') }, CLOSED)) },
    },
    errors: ['store_failed', 'store_read_only', 'disk_full'],
  },
  'GET /health': {
    operationId: 'getHealth',
    tag,
    summary: 'What the service knows of itself',
    answers: {
      200: { description: 'It works, perhaps not fully: see `status`.', content: json(component('Health')) },
      503: { description: 'The store failed.', content: json(component('Health')) },
    },
    errors: [],
  },
  'GET /openapi.json': {
    operationId: 'getOpenApi',
    tag,
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1.', content: json(Type.Record(Type.String(), Type.Unknown())) } },
    errors: [],
  },
};

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
    errors: ['store_failed', 'store_unavailable', 'store_read_only', 'disk_full', 'stalled'],
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
  'GET /health/events': {
    operationId: 'getEventsHealth',
    tag,
    summary: 'Whether events come in and go out',
    answers: {
      200: { description: 'They do, perhaps not all: see `status`.', content: json(component('EventsHealth')) },
      503: { description: 'The store failed.', content: json(component('EventsHealth')) },
    },
    errors: [],
  },
  'GET /metrics': {
    operationId: 'getMetrics',
    tag,
    summary: 'What was counted, for Prometheus',
    description:
      'By `Accept`: OpenMetrics, an object when `application/json` comes first, and the text form otherwise.',
    headers: { accept: Type.Optional(Type.String()) },
    answers: {
      200: {
        description: 'All metrics, read at one moment.',
        content: {
          'text/plain': Type.String(),
          'application/openmetrics-text': Type.String(),
          ...json(component('EventMetrics')),
        },
      },
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

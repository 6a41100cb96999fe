import { type Limits, PREVIEW_LIMIT_MAX, PREVIEW_SAMPLE_MAX } from '@event-manager/core';
import Type from 'typebox';
import { type Components, component, spelled } from './component.ts';
import { BODY_ERRORS, json, READ_ERRORS, type RouteDocuments } from './route-document.ts';
import { cursorSchema, momentSchema, nameSchema, patternSchema, wholeSchema, wordSchema } from './text-schemas.ts';

const CLOSED = { additionalProperties: false };
const PREVIEWED = {
  id: Type.String({ format: 'uuid' }),
  topic: Type.String(),
  type: Type.String(),
  recordedAt: Type.String({ format: 'date-time' }),
};

export const PREVIEW_DOCUMENTS: RouteDocuments = {
  'POST /filters/preview': {
    operationId: 'previewFilter',
    tag: 'Events',
    summary: 'What a pattern and a filter match of what is stored',
    description: 'Nothing is subscribed and nothing is changed. The tests are those that delivery makes.',
    body: json(component('FilterPreviewRequest')),
    answers: {
      200: { description: 'How many match, and some of either kind.', content: json(component('FilterPreview')) },
    },
    errors: [
      'invalid_query',
      'invalid_pattern',
      'invalid_filter',
      'invalid_context',
      'invalid_cursor',
      'not_supported',
      ...BODY_ERRORS,
      ...READ_ERRORS,
    ],
  },
};

export function previewSchemas(limits: Limits): Components {
  return {
    FilterPreviewRequest: Type.Object(
      {
        topic: Type.Optional(patternSchema(limits, { description: 'Pattern over topics; everything when absent.' })),
        filter: Type.Optional(component('StreamFilter', spelled('filters'))),
        subscriber: Type.Optional(
          nameSchema(limits, {
            description: 'Whose registered context the filter asks for relevance.',
            pattern: '^(?!\\.{1,2}$)[^\\u0000-\\u001f\\u007f-\\u009f]+$',
            ...spelled('subscriberId', 'serviceName'),
          }),
        ),
        context: Type.Optional(component('RelevanceContextIn')),
        from: Type.Optional(momentSchema({ description: 'Recorded at or after.', ...spelled('since') })),
        to: Type.Optional(momentSchema({ description: 'Recorded before.', ...spelled('until') })),
        limit: Type.Optional(wholeSchema(1, PREVIEW_LIMIT_MAX, { default: 10_000, description: 'Events to look at.' })),
        sample: Type.Optional(
          wholeSchema(0, PREVIEW_SAMPLE_MAX, { default: 5, description: 'Events to show of either kind.' }),
        ),
        cursor: Type.Optional(cursorSchema('events', { description: 'Goes on behind an earlier preview.' })),
        direction: Type.Optional(
          wordSchema(['forward', 'backward'], { default: 'backward', description: '`backward` is newest first.' }),
        ),
      },
      { ...CLOSED, examples: [{ topic: 'order.*', filter: { payload: { total: { numeric: ['>=', 100] } } } }] },
    ),
    FilterPreview: Type.Object(
      {
        looked: Type.Integer({
          minimum: 0,
          description: 'Events whose topic the pattern matches, as far as was looked.',
        }),
        matched: Type.Integer({ minimum: 0 }),
        complete: Type.Boolean({ description: 'False when the limit or the time ended the search.' }),
        nextCursor: Type.Optional(Type.String({ description: 'Continues the search.' })),
        matching: Type.Array(Type.Object(PREVIEWED, CLOSED)),
        notMatching: Type.Array(
          Type.Object(
            {
              ...PREVIEWED,
              clause: Type.String({ description: 'JSON pointer of the clause in the filter that keeps it out.' }),
              wanted: Type.Any(),
              found: Type.Optional(Type.Any({ description: 'What the event has there.' })),
              alternatives: Type.Optional(Type.Array(Type.Object({}, { additionalProperties: true }))),
            },
            CLOSED,
          ),
        ),
      },
      CLOSED,
    ),
  };
}

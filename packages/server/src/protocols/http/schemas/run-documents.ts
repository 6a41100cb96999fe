import Type from 'typebox';
import { component } from './component.ts';
import {
  BODY_ERRORS,
  json,
  READ_ERRORS,
  type RouteDocument,
  type RouteDocuments,
  WRITE_ERRORS,
} from './route-document.ts';
import { cursorSchema, wholeSchema, wordSchema } from './text-schemas.ts';

const PAGE_MAX = 1_000;
const PAGE_DEFAULT = 100;
const BY_ID = { id: Type.String({ format: 'uuid', description: 'Id of a run.' }) };
const tag = 'Runs';

function control(operationId: string, summary: string, description: string): RouteDocument {
  return {
    ...{ operationId, tag, summary, path: BY_ID },
    answers: { 200: { description, content: json(component('Run')) } },
    errors: ['run_not_found', 'run_ended', 'revision_conflict', ...WRITE_ERRORS],
  };
}

const REPLAY: RouteDocument = {
  operationId: 'startReplay',
  tag,
  summary: 'Deliver the events of a range once more',
  description:
    'They go to the subscriptions that match them, marked, behind live deliveries. With `dryRun` nothing happens: the answer says what would.',
  body: json(component('ReplayRequest')),
  answers: {
    200: { description: 'What it would do.', content: json(component('ReplayPreview')) },
    202: {
      description: 'It is durable that this shall be done.',
      content: json(component('Run')),
      headers: { location: Type.String({ description: 'Address of the run.' }) },
    },
  },
  errors: [
    ...(['invalid_run', 'invalid_query', 'invalid_pattern', 'invalid_cursor', 'subscription_not_found'] as const),
    ...(['too_many_runs', 'not_supported', 'invalid_endpoint', 'endpoint_blocked'] as const),
    ...BODY_ERRORS,
    ...WRITE_ERRORS,
  ],
};

export const RUN_DOCUMENTS: RouteDocuments = {
  'POST /replays': REPLAY,
  'POST /replay': {
    ...REPLAY,
    operationId: 'replay',
    summary: 'The same, by the name that the specification gives it',
  },
  'GET /runs': {
    operationId: 'listRuns',
    tag,
    summary: 'Replays, redrives and discards, the newest first',
    query: {
      limit: Type.Optional(wholeSchema(1, PAGE_MAX, { default: PAGE_DEFAULT })),
      cursor: Type.Optional(cursorSchema('runs')),
      kind: Type.Optional(wordSchema(['replay', 'redrive', 'discard'])),
    },
    answers: { 200: { description: 'A page of runs.', content: json(component('RunsPage')) } },
    errors: ['invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'GET /runs/:id': {
    operationId: 'getRun',
    tag,
    summary: 'One run, and how far it is',
    path: BY_ID,
    answers: { 200: { description: 'The run.', content: json(component('Run')) } },
    errors: ['run_not_found', ...READ_ERRORS],
  },
  'GET /runs/:id/report': {
    operationId: 'reportRun',
    tag,
    summary: 'The deliveries that a replay gave up on',
    description: 'Of each subscription the first thousand; the others are counted alone.',
    path: BY_ID,
    query: {
      limit: Type.Optional(wholeSchema(1, PAGE_MAX, { default: PAGE_DEFAULT })),
      cursor: Type.Optional(cursorSchema('report')),
    },
    answers: { 200: { description: 'A page of them.', content: json(component('RunReportPage')) } },
    errors: ['run_not_found', 'invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'POST /subscriptions/:id/reset': {
    operationId: 'resetSubscription',
    tag: 'Subscriptions',
    summary: 'Go on from another place of the log',
    description:
      'What follows the place is owed from then on, also what was delivered before; what waited for a retry is dropped. Dead letters stay.',
    path: { id: Type.String({ format: 'uuid', description: 'Id of a subscription.' }) },
    body: json(component('ResetRequest')),
    answers: {
      200: { description: 'Where it was, and where it goes on.', content: json(component('SubscriptionReset')) },
    },
    errors: [
      ...(['invalid_run', 'invalid_cursor', 'subscription_not_found', 'not_supported', 'revision_conflict'] as const),
      ...(['lease_lost', 'unreachable', 'not_ready'] as const),
      ...BODY_ERRORS,
      ...WRITE_ERRORS,
    ],
  },
  'POST /runs/:id/pause': control('pauseRun', 'Have a run stand still', 'What is under way goes on.'),
  'POST /runs/:id/resume': control('resumeRun', 'Have a run go on', 'It goes on where it stood.'),
  'POST /runs/:id/cancel': control('cancelRun', 'End a run where it is', 'What was done stays done.'),
};

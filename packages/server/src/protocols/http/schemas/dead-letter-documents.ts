import Type from 'typebox';
import { component } from './component.ts';
import { json, READ_ERRORS, type RouteAnswer, type RouteDocuments } from './route-document.ts';
import { cursorSchema, wholeSchema, wordSchema } from './text-schemas.ts';

const LETTERS_MAX = 100;
const LETTERS: RouteAnswer = { description: 'A page of dead letters.', content: json(component('DeadLettersPage')) };
const PAGE = {
  limit: Type.Optional(wholeSchema(1, LETTERS_MAX, { default: LETTERS_MAX })),
  cursor: Type.Optional(cursorSchema('dead-letters')),
  state: Type.Optional(wordSchema(['open', 'redriven', 'discarded', 'superseded'])),
};
const SUBSCRIPTION_ID = Type.Optional(Type.String({ description: 'Also of one that was removed.' }));
export const DEAD_LETTER_DOCUMENTS: RouteDocuments = {
  'GET /subscriptions/:id/dead-letters': {
    operationId: 'listDeadLettersOfSubscription',
    tag: 'Dead letters',
    summary: 'The dead letters of one subscription',
    path: { id: Type.String({ format: 'uuid', description: 'Id of a subscription.' }) },
    query: PAGE,
    answers: { 200: LETTERS },
    errors: ['subscription_not_found', 'invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'GET /dead-letters': {
    operationId: 'listDeadLetters',
    tag: 'Dead letters',
    summary: 'The dead letters of all subscriptions',
    query: { ...PAGE, subscriptionId: SUBSCRIPTION_ID },
    answers: { 200: LETTERS },
    errors: ['invalid_query', 'invalid_cursor', ...READ_ERRORS],
  },
  'GET /dead-letters/:id': {
    operationId: 'getDeadLetter',
    tag: 'Dead letters',
    summary: 'One dead letter with its event and every error',
    path: { id: Type.String({ format: 'uuid', description: 'Id of a dead letter.' }) },
    answers: { 200: { description: 'The dead letter.', content: json(component('DeadLetter')) } },
    errors: ['dead_letter_not_found', ...READ_ERRORS],
  },
};

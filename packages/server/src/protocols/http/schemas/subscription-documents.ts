import type { ErrorCode } from '@event-manager/core';
import Type from 'typebox';
import { component, spelled } from './component.ts';
import { BODY_ERRORS, json, type RouteAnswer, type RouteDocuments, WRITE_ERRORS } from './route-document.ts';
import { cursorSchema, wholeSchema, wordSchema } from './text-schemas.ts';

const LIST_MAX = 1_000;
const BY_ID = { id: Type.String({ format: 'uuid', description: 'Id of a subscription.' }) };
const DESCRIBED: RouteAnswer = { description: 'The subscription.', content: json(component('Subscription')) };
const LOCATION = { location: Type.String({ description: 'Where it is.' }) };
const tag = 'Subscriptions';
const CHANGE_ERRORS = ['subscription_not_found', 'revision_conflict', 'lease_lost', ...WRITE_ERRORS] as const;

const REQUEST_ERRORS = [
  'invalid_subscription',
  'invalid_pattern',
  'invalid_filter',
  'invalid_topic',
  'invalid_cursor',
  'invalid_endpoint',
  'endpoint_blocked',
  'topic_reserved',
  'not_supported',
] as const satisfies readonly ErrorCode[];

export const SUBSCRIPTION_DOCUMENTS: RouteDocuments = {
  'POST /subscriptions': {
    operationId: 'createSubscription',
    tag,
    summary: 'Subscribe a webhook, a WebSocket that the bus dials, or nobody: then deliveries are pulled',
    body: json(component('SubscriptionIn')),
    answers: {
      200: { ...DESCRIBED, description: 'One with this name and definition exists.', headers: LOCATION },
      201: { ...DESCRIBED, description: 'The subscription is created.', headers: LOCATION },
    },
    errors: [...REQUEST_ERRORS, 'subscription_conflict', 'too_many_subscriptions', ...BODY_ERRORS, ...WRITE_ERRORS],
  },
  'GET /subscriptions': {
    operationId: 'listSubscriptions',
    tag,
    summary: 'List subscriptions in the order of their creation',
    query: {
      limit: Type.Optional(wholeSchema(1, LIST_MAX, { default: 100 })),
      cursor: Type.Optional(cursorSchema('subscriptions')),
      name: Type.Optional(Type.String()),
      subscriber: Type.Optional(Type.String(spelled('subscriberId', 'serviceName'))),
      state: Type.Optional(wordSchema(['active', 'paused', 'stopped'])),
    },
    answers: { 200: { description: 'A page of subscriptions.', content: json(component('SubscriptionsPage')) } },
    errors: ['invalid_query', 'invalid_cursor'],
  },
  'GET /subscriptions/:id': {
    operationId: 'getSubscription',
    tag,
    summary: 'One subscription and how far it is',
    path: BY_ID,
    answers: { 200: DESCRIBED },
    errors: ['subscription_not_found'],
  },
  'PATCH /subscriptions/:id': {
    operationId: 'updateSubscription',
    tag,
    summary: 'Change a subscription',
    description: 'Attempts under way end first; then it is read again by the new definition. Its name stays.',
    path: BY_ID,
    body: json(component('SubscriptionChanges')),
    answers: { 200: DESCRIBED },
    errors: [...REQUEST_ERRORS, ...BODY_ERRORS, ...CHANGE_ERRORS],
  },
  'DELETE /subscriptions/:id': {
    operationId: 'deleteSubscription',
    tag,
    summary: 'End a subscription; its dead letters stay',
    path: BY_ID,
    answers: { 204: { description: 'It is gone.' } },
    errors: CHANGE_ERRORS,
  },
  'POST /subscriptions/:id/pause': {
    operationId: 'pauseSubscription',
    tag,
    summary: 'Deliver nothing more; what it is owed waits',
    path: BY_ID,
    answers: { 200: DESCRIBED },
    errors: CHANGE_ERRORS,
  },
  'POST /subscriptions/:id/resume': {
    operationId: 'resumeSubscription',
    tag,
    summary: 'Go on, also after `stopped`',
    path: BY_ID,
    answers: { 200: DESCRIBED },
    errors: CHANGE_ERRORS,
  },
  'POST /subscriptions/:id/test': {
    operationId: 'testSubscription',
    tag,
    summary: 'Send a test event to the webhook',
    description: 'Through the guard, headers and signature of its deliveries; nothing is stored, counted or owed.',
    path: BY_ID,
    answers: { 200: { description: 'What became of it.', content: json(component('TestOutcome')) } },
    errors: ['subscription_not_found', 'not_supported', 'overloaded'],
  },
};

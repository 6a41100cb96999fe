import type { Limits } from '@event-manager/core';
import { ANSWER_SCHEMAS } from './answer-schemas.ts';
import type { Components } from './component.ts';
import { contextDocuments, contextSchemas } from './context-documents.ts';
import { DEAD_LETTER_DOCUMENTS } from './dead-letter-documents.ts';
import { eventDocuments } from './event-documents.ts';
import { eventSchemas } from './event-schemas.ts';
import { GRAPH_DOCUMENTS, GRAPH_SCHEMAS } from './graph-documents.ts';
import { HEALTH_DOCUMENTS } from './health-documents.ts';
import { KEY_DOCUMENTS, KEY_SCHEMAS } from './order-documents.ts';
import { PREVIEW_DOCUMENTS, previewSchemas } from './preview-documents.ts';
import { PROJECTION_DOCUMENTS, PROJECTION_SCHEMAS } from './projection-documents.ts';
import { PULL_DOCUMENTS, PULL_SCHEMAS } from './pull-documents.ts';
import { REDRIVE_DOCUMENTS, redriveSchemas } from './redrive-documents.ts';
import type { RouteDocuments } from './route-document.ts';
import { RUN_DOCUMENTS } from './run-documents.ts';
import { runSchemas } from './run-schemas.ts';
import { SCHEDULED_DOCUMENTS, SCHEDULED_SCHEMAS } from './scheduled-documents.ts';
import { SUBSCRIPTION_DOCUMENTS } from './subscription-documents.ts';
import { subscriptionSchemas } from './subscription-schemas.ts';
import { topicDocuments, topicSchemas } from './topic-documents.ts';
import { WHY_DOCUMENTS, WHY_SCHEMAS } from './why-documents.ts';

/** The documents of all routes: whoever adds a route adds a line here, or a test says that it is missing. */
export function routeDocuments(limits: Limits): RouteDocuments {
  return {
    ...eventDocuments(limits),
    ...topicDocuments(limits),
    ...contextDocuments(limits),
    ...SUBSCRIPTION_DOCUMENTS,
    ...KEY_DOCUMENTS,
    ...PULL_DOCUMENTS,
    ...DEAD_LETTER_DOCUMENTS,
    ...GRAPH_DOCUMENTS,
    ...PROJECTION_DOCUMENTS,
    ...REDRIVE_DOCUMENTS,
    ...SCHEDULED_DOCUMENTS,
    ...WHY_DOCUMENTS,
    ...PREVIEW_DOCUMENTS,
    ...RUN_DOCUMENTS,
    ...HEALTH_DOCUMENTS,
  };
}

/** Every schema that they name. */
export function components(limits: Limits): Components {
  return {
    ...eventSchemas(limits),
    ...topicSchemas(limits),
    ...contextSchemas(limits),
    ...subscriptionSchemas(limits),
    ...KEY_SCHEMAS,
    ...GRAPH_SCHEMAS,
    ...PROJECTION_SCHEMAS,
    ...SCHEDULED_SCHEMAS,
    ...runSchemas(limits),
    ...PULL_SCHEMAS,
    ...WHY_SCHEMAS,
    ...previewSchemas(limits),
    ...redriveSchemas(limits),
    ...ANSWER_SCHEMAS,
  };
}

import { DEFAULT_LIMITS } from '@event-manager/core';
import { expect, it } from 'vitest';
import { CONTEXT_FIELDS } from '../packages/core/src/context/parse-context.ts';
import { ALTERNATIVE_FIELDS, FILTER_FIELDS } from '../packages/core/src/filter/aliases.ts';
import { EVENT_FIELDS, METADATA_FIELDS } from '../packages/core/src/ingest/accept.ts';
import { PREVIEW_FIELDS } from '../packages/core/src/query/preview.ts';
import { RETRY_FIELDS } from '../packages/core/src/retry/retry-fields.ts';
import { BREAKER_FIELDS } from '../packages/core/src/subscription/options/failure-options.ts';
import {
  OPTION_FIELDS,
  START_FIELDS,
  SUBSCRIPTION_FIELDS,
} from '../packages/core/src/subscription/subscription-fields.ts';
import { components } from '../packages/server/src/protocols/http/schemas/route-documents.ts';

/** A client made from a document that lacks a field cannot send it; one that invents a field sends what is refused. */
it.each([
  ['EventIn', new Map(EVENT_FIELDS)],
  ['EventMetadataIn', new Map([...METADATA_FIELDS, ...['tags'].map((name) => [name, name] as const)])],
  ['SubscriptionIn', SUBSCRIPTION_FIELDS.names],
  ['SubscriptionChanges', SUBSCRIPTION_FIELDS.names],
  ['SubscriptionOptionsIn', OPTION_FIELDS.names],
  ['RetryPolicyIn', RETRY_FIELDS.names],
  ['BreakerPolicyIn', BREAKER_FIELDS.names],
  ['Filter', FILTER_FIELDS.names],
  ['FilterAlternative', ALTERNATIVE_FIELDS.names],
  ['ContextIn', CONTEXT_FIELDS.names],
  ['RelevanceContextIn', CONTEXT_FIELDS.names],
  ['StartFrom', START_FIELDS.names],
  ['FilterPreviewRequest', PREVIEW_FIELDS.names],
])('%s has every field of its reader, in every spelling', (name, fields) => {
  const schema = components(DEFAULT_LIMITS)[name] as unknown as {
    properties?: Record<string, object>;
    anyOf?: { properties?: Record<string, object> }[];
  };
  const properties = Object.assign({}, schema.properties, ...(schema.anyOf ?? []).map((part) => part.properties));
  const spellings = Object.entries(properties).flatMap(([field, property]) => [
    [field, field],
    ...((property as { 'x-other-spellings'?: string[] })['x-other-spellings'] ?? []).map((other) => [other, field]),
  ]);
  const absent = name === 'SubscriptionChanges' ? ['handler', 'name'] : ['handler'];
  const known = [...fields].filter(([, field]) => !absent.includes(field));
  const withSelf = new Map([...known.map(([, field]) => [field, field] as const), ...known]);
  expect(new Map(spellings as [string, string][])).toEqual(withSelf);
});

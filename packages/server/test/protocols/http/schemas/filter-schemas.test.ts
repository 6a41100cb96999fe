import { DEFAULT_LIMITS, isEventManagerError, parseSubscription } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { components } from '../../../../src/protocols/http/schemas/route-documents.ts';
import { spoil } from '../../../fuzz/bad-data.ts';
import { GoodData, respell } from '../../../fuzz/good-data.ts';
import { type OpenApiDocument, type Schema, SchemaCheck } from '../../../fuzz/openapi-document.ts';

const schemas = JSON.parse(JSON.stringify(components(DEFAULT_LIMITS))) as Record<string, Schema>;
const document: OpenApiDocument = { openapi: '3.1.0', paths: {}, components: { schemas } };
const check = new SchemaCheck(document);
const data = new GoodData(document, {
  cursor: () => '',
  endpoint: () => 'https://example.com/',
  subscription: () => '',
});
const FILTER: Schema = { $ref: '#/components/schemas/Filter' };
const CONTEXT: Schema = { $ref: '#/components/schemas/RelevanceContextIn' };

/** The code of the refusal; `undefined` when the service would take it. */
function refusalOf(request: object): string | undefined {
  try {
    parseSubscription({ topic: 'a', endpoint: 'https://example.com/', ...request }, DEFAULT_LIMITS);
    return undefined;
  } catch (error) {
    if (isEventManagerError(error)) return `${error.code} at ${error.details.pointer}: ${error.message}`;
    throw error;
  }
}

/** A generated client sends what the document allows, and shows as a mistake what it does not: the reader has to agree in both. */
it.each([
  ['filter', FILTER, 3_000],
  ['context', CONTEXT, 500],
] as const)('%s: what the document says is what is read', (field, schema, runs) => {
  const made = fc.sample(fc.tuple(data.of(schema), fc.nat()), { numRuns: runs, seed: 20_261_121 });
  const tried = new Set<string>();
  let good = 0;
  let bad = 0;
  for (const [value, seed] of made) {
    const own = JSON.parse(JSON.stringify(value)) as unknown;
    if (check.fault(schema, own) !== undefined) continue;
    let step = seed;
    const pick = (count: number) => {
      step = (step * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((step / 2 ** 31) * count);
    };
    const spelled = respell(document, schema, own, pick);
    expect([refusalOf({ [field]: spelled }), JSON.stringify(spelled)]).toEqual([undefined, JSON.stringify(spelled)]);
    good++;
    const mutation = spoil({ document, check, pick, tried }, schema, own);
    if (!mutation) continue;
    expect([refusalOf({ [field]: mutation.value }) === undefined, mutation.what, mutation.value]).toEqual([
      false,
      mutation.what,
      mutation.value,
    ]);
    bad++;
  }
  expect(good).toBeGreaterThan(runs / 2);
  expect(bad).toBeGreaterThan(runs / 4);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { call, postJson, runService } from '../running-service.ts';
import { GoodData, isFields, spellingsOf } from './good-data.ts';
import { type OpenApiDocument, resolve, routesOf, type Schema, SchemaCheck } from './openapi-document.ts';

/** Values that fit together and tell something when they come back. */
const EXAMPLES: Readonly<Record<string, unknown>> = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  topic: 'spelled.here',
  type: 'spelled.so',
  endpoint: 'https://example.com/hook',
  fallbackWebhook: 'https://example.com/hook',
  realtime: true,
  schema: { type: 'object' },
  compatibility: 'none',
  connectionType: 'webhook',
  secret: 'whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=',
  maxDelay: 600_000_000,
  inFlightMax: 700,
  batchSize: 1,
  timeMs: 1_795_161_600_000,
  all: true,
};
const DIALLED = new Set([
  'heartbeatMs',
  'reconnectAttempts',
  'bufferSize',
  'compression',
  'fallbackWebhook',
  'realtime',
]);
const NAMES = new Set(['name', 'consumerGroup', 'consumer_group']);
/** Differs between two things that were asked for in the same words. */
const OWN = new Set([
  'id',
  'cursor',
  'createdAt',
  'updatedAt',
  'timestamp',
  'name',
  'duplicate',
  'status',
  'topic',
  'versions',
  'checked',
  'scheduledFor',
  'createdAtMs',
  'endedAtMs',
  'atMs',
  'toMs',
]);

interface Place {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly spelling: string;
}

/** Every field of a body, however deep, in every spelling. */
function* places(document: OpenApiDocument, given: Schema, path: readonly string[] = []): Iterable<Place> {
  const schema = resolve(document, given);
  for (const part of schema.anyOf ?? []) yield* places(document, part, path);
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    for (const spelling of spellingsOf(name, field)) yield { path: [...path, name], schema: field, spelling };
    yield* places(document, field, [...path, name]);
  }
}

/** Each place with what a body of its kind cannot do without. */
function* placesWithBase(
  document: OpenApiDocument,
  given: Schema,
  sample: (name: string, schema: Schema) => unknown,
): Iterable<{ place: Place; base: object; kind: number }> {
  const schema = resolve(document, given);
  for (const [kind, part] of (schema.anyOf ?? [schema]).entries()) {
    const { required = [], properties = {} } = resolve(document, part);
    const base = Object.fromEntries(required.map((name) => [name, sample(name, properties[name]!)]));
    // Without a name the same fallback is the same subscription.
    const { realtime, fallbackWebhook, ...others } = base;
    for (const place of places(document, part)) {
      const isAmongOptions = place.path[0] === 'options' && DIALLED.has(place.path[1]!);
      const own =
        fallbackWebhook === undefined || isAmongOptions ? {} : { name: 'realtime', realtime, fallbackWebhook };
      yield { place, kind, base: { ...others, ...own, ...besides(place) } };
    }
  }
}

/** Of letters that are not there nothing can be said: the tests of the routes say these. */
const LETTER_FIELDS = new Set(['ids', 'payload']);
/** What is said of letters is said of some: without anything to choose them, of all. */
const ABOUT_LETTERS = new Set(['note', 'confirm', 'dryRun', 'rate', 'force', 'except']);

function isAboutOneLetter(path: string, { path: [name] }: Place): boolean {
  if (!path.startsWith('/dead-letters/')) return false;
  return path.includes('{id}') || LETTER_FIELDS.has(name!);
}

/** Options that are refused where others give them nothing to say. */
const BELONGING: Readonly<Record<string, object>> = {
  flushIntervalMs: { batchSize: 2 },
  onFailure: { order: 'topic' },
};

/** What is said of a connection is said of one that the service makes; and a fallback has an address. */
function besides({ path }: Place): object {
  const belonging = path[0] === 'options' ? BELONGING[path[1] ?? ''] : undefined;
  if (belonging) return { options: belonging };
  return wayOf(path);
}

function wayOf(path: Place['path']): object {
  if (!path.some((name) => DIALLED.has(name))) return {};
  const endpoint = 'wss://example.com/events';
  const at = path.indexOf('fallbackWebhook');
  if (at < 0 || at === path.length - 1) return { endpoint };
  const fallback = { fallbackWebhook: { endpoint: EXAMPLES['endpoint'] } };
  return { endpoint, ...(at === 0 ? fallback : { options: fallback }) };
}

/** The body with one field in one spelling; objects on the way are in the first. */
function bodyWith(base: object, { path, spelling }: Place, value: unknown): object {
  const [name, ...rest] = path;
  if (rest.length === 0) {
    const { [name!]: _replaced, ...others } = base as Record<string, unknown>;
    return { ...others, [spelling]: value };
  }
  const inner = (base as Record<string, unknown>)[name!];
  const within = bodyWith(isFields(inner) ? inner : {}, { path: rest, spelling, schema: {} }, value);
  return { ...base, [name!]: within };
}

function withoutOwn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOwn);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => (OWN.has(key) ? [] : [[key, withoutOwn(field)]])),
  );
}

async function start() {
  const { url } = await runService();
  const document = (await call(`${url}/openapi.json`)).body as OpenApiDocument;
  const { body } = await call(`${url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"type":"a","source":"b"}',
  });
  await postJson(`${url}/subscriptions`, { name: 'pulled', topic: 'a' });
  const data = new GoodData(document, {
    cursor: () => body.cursor,
    endpoint: () => 'https://example.com/',
    subscription: () => 'pulled',
  });
  const check = new SchemaCheck(document);
  const sample = (name: string, schema: Schema): unknown => {
    if (name in EXAMPLES && check.fault(schema, EXAMPLES[name]) === undefined) return EXAMPLES[name];
    const [value] = fc.sample(
      data.of(schema).filter((one) => check.fault(schema, one) === undefined),
      { seed: 7, numRuns: 1 },
    );
    return value;
  };
  return { url, document, sample };
}

it('understands every field of every body in every spelling, and means the same by each', async () => {
  const { url, document, sample } = await start();
  let topics = 0;
  let names = 0;
  // The same name with another definition is a conflict.
  const named = (path: string, body: object) =>
    path !== '/subscriptions'
      ? body
      : Object.fromEntries(
          Object.entries(body).map(([key, value]) =>
            NAMES.has(key) && typeof value === 'string' ? [key, `${value} ${names++}`.slice(-200)] : [key, value],
          ),
        );
  const send = async (method: string, path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    // A topic can be declared once.
    const own =
      path === '/topics' && 'topic' in body ? { ...body, topic: `${body.topic}.${topics++}` } : named(path, body);
    // Every replay that is not dry goes to every subscription that this test makes.
    const sent = path === '/replays' && !('dry_run' in own) ? { dryRun: true, ...own } : own;
    const answer = await call(`${url}${path}`, { method, headers, body: JSON.stringify(sent) });
    // What is for later is not among the events yet.
    if (path !== '/events' || answer.status >= 202) return answer;
    return { ...answer, body: (await call(`${url}/events/${answer.body.id}`)).body };
  };
  const address = async (path: string) => {
    if (path.startsWith('/topics/{topic}')) {
      const { body } = await send('POST', '/topics', { topic: 'spelled.topic' });
      return path.replace('{topic}', body.topic);
    }
    if (!path.includes('{')) return path;
    const isPulled = /\/(pull|ack|nack|extend)$/.test(path);
    const more = isPulled ? { name: 'pulled' } : { endpoint: EXAMPLES['endpoint'] };
    const { body } = await send('POST', '/subscriptions', { topic: 'a', ...more });
    return path.replace('{id}', body.id);
  };
  const wrong: unknown[] = [];
  let spellings = 0;
  for (const { method, path, operation } of routesOf(document)) {
    const schema = operation.requestBody?.content['application/json']?.schema;
    // `/replay` is another address of `/replays`.
    if (!schema || path === '/events/batch' || path === '/replay') continue;
    const told = new Map<string, unknown>();
    for (const { place, base: needed, kind } of placesWithBase(document, schema, sample)) {
      if (isAboutOneLetter(path, place)) continue;
      const isOfAll = path.startsWith('/dead-letters/') && ABOUT_LETTERS.has(place.path[0]!);
      const name = place.path.at(-1)!;
      const isOfAllEvents = path === '/replays' && name !== 'all';
      const base = isOfAll || isOfAllEvents ? { ...needed, all: true } : needed;
      const field = resolve(document, place.schema);
      if (field.type === 'object' && field.properties) continue;
      const value = sample(name, place.schema);
      const answer = await send(method, await address(path), bodyWith(base, place, value));
      const where = `${method} ${path} ${place.path.join('.')} ${kind}`;
      spellings++;
      const { state: _state, counts: _counts, parts: _parts, ...asked } = answer.body;
      // How many letters there are depends on how long the deliveries of this test have failed already.
      const meant = JSON.stringify(withoutOwn(path.startsWith('/dead-letters/') ? asked : answer.body));
      if (answer.status >= 300) wrong.push([where, place.spelling, answer.body]);
      else if ((told.get(where) ?? meant) !== meant) wrong.push([where, place.spelling, told.get(where), meant]);
      told.set(where, meant);
      if (place.spelling === name) continue;
      const both = bodyWith(bodyWith(base, { ...place, spelling: name }, value), place, value);
      const twice = await send(method, await address(path), withBoth(both, place, name, value));
      if (twice.status !== 400) wrong.push([where, `${name} and ${place.spelling}`, twice.status]);
    }
  }
  expect(wrong).toEqual([]);
  process.stdout.write(`${JSON.stringify({ spellings })}\n`);
  expect(spellings).toBeGreaterThan(120);
});

/** The body with one field in two spellings. */
function withBoth(body: object, { path }: Place, name: string, value: unknown): object {
  return bodyInside(body, path.slice(0, -1), (fields) => ({ ...fields, [name]: value }));
}

function bodyInside(body: object, path: readonly string[], change: (fields: object) => object): object {
  const [name, ...rest] = path;
  if (name === undefined) return change(body);
  return { ...body, [name]: bodyInside((body as Record<string, object>)[name]!, rest, change) };
}

it('understands every parameter of every query in every spelling', async () => {
  const { url, document, sample } = await start();
  const wrong: unknown[] = [];
  let spellings = 0;
  for (const { method, path, operation } of routesOf(document)) {
    for (const { name, in: place, schema } of operation.parameters ?? []) {
      if (place !== 'query' || /\{(id|name)\}/.test(path) || schema.format?.endsWith('-cursor')) continue;
      const value = [sample(name, schema)].flat()[0];
      for (const spelling of spellingsOf(name, schema)) {
        spellings++;
        const address = path.replace('{topic}', 'spelled.topic');
        const response = await fetch(`${url}${address}?${new URLSearchParams([[spelling, String(value)]])}`, {
          method,
        });
        if (response.status !== 200) wrong.push([path, spelling, value, await response.text()]);
        else await response.body?.cancel();
        if (spelling === name) continue;
        const both = new URLSearchParams([
          [name, String(value)],
          [spelling, String(value)],
        ]);
        const twice = await call(`${url}${address}?${both}`);
        if (twice.status !== 400) wrong.push([path, `${name} and ${spelling}`, twice.status]);
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(spellings).toBeGreaterThan(50);
});

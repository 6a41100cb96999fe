import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  ANONYMOUS,
  compileFilter,
  DEFAULT_LIMITS,
  DEFAULT_RETRY_POLICY,
  decodeEvent,
  type Event,
  EventManager,
  EventManagerError,
  matchesPattern,
  normalize,
  parseFilter,
  parseJson,
  parsePattern,
  parseSubscription,
  parseTopic,
  type SubscriptionSink,
  systemRuntime,
} from '@event-manager/core';
import { addressGuard, readSecret, sign, webhookSink } from '@event-manager/webhook';
import { describe, expect, it, onTestFinished } from 'vitest';
import { receiver } from '../examples/webhook-receiver/receiver.ts';
import { FILTER_FIELDS } from '../packages/core/src/filter/aliases.ts';
import { EVENT_FIELDS, METADATA_FIELDS } from '../packages/core/src/ingest/accept.ts';
import type { FieldTable } from '../packages/core/src/json/read-fields.ts';
import { RETRY_FIELDS } from '../packages/core/src/retry/retry-fields.ts';
import { BREAKER_FIELDS, DEFAULT_BREAKER } from '../packages/core/src/subscription/options/failure-options.ts';
import {
  OPTION_FIELDS,
  START_FIELDS,
  SUBSCRIPTION_FIELDS,
} from '../packages/core/src/subscription/subscription-fields.ts';
import { untidyBlocks } from './guides/regions.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const limits = DEFAULT_LIMITS;
const NOW_MS = Date.UTC(2026, 10, 20, 8);
const ID = '0198c0de-0000-7000-8000-00000000000a';

const page = (name: string) => readFileSync(join(root, 'docs', name), 'utf8');
const events = page('events.md');
const subscriptions = page('subscriptions.md');

/** Texts of the code blocks with this info string, in order. */
function blocks(text: string, info: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${info}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, block]) => block!);
}

/** The cells of every row of the table whose first line begins with `| head |`; `nth` when there are several. */
function table(text: string, head: string, nth = 0): string[][] {
  const tables = text.split(/\n\n/).filter((part) => part.startsWith(`| ${head} |`));
  const [, , ...rows] = tables[nth]!.trim().split('\n');
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** What stands in backticks. */
const codes = (cell: string) => [...cell.matchAll(/`([^`]*)`/g)].map(([, code]) => code!);
const code = (cell: string) => codes(cell)[0] ?? '';

/** Each spelling of a documented table with the name it stands for. */
function spellings(rows: string[][]): Map<string, string> {
  return new Map(rows.flatMap(([name, others]) => [code(name!), ...codes(others!)].map((text) => [text, code(name!)])));
}

function stored(input: unknown) {
  const context = { principal: ANONYMOUS, limits, nextId: () => ID, nowMs: NOW_MS };
  return JSON.parse(Buffer.from(normalize(input, context).body).toString()) as Record<string, Record<string, unknown>>;
}

function anEvent(fields: object): Event {
  const context = { principal: ANONYMOUS, limits, nextId: () => ID, nowMs: NOW_MS };
  return decodeEvent(normalize({ type: 'order.created', source: 'shop', ...fields }, context).body);
}

function refusal(call: () => unknown): { code: string; pointer: unknown } {
  try {
    call();
  } catch (error) {
    if (error instanceof EventManagerError) return { code: error.code, pointer: error.details.pointer };
    throw error;
  }
  return { code: 'accepted', pointer: undefined };
}

const written = (cell: string) => (codes(cell).length === 0 ? '' : code(cell));

/** A reader who trusts a wrong table sends events that are refused, or never learns what the bus understands. */
describe('docs/events.md', () => {
  const [fieldRows, metadataRows] = [table(events, 'Field', 0), table(events, 'Field', 1)];

  it('lists every field of an event in every spelling, and no other', () => {
    expect(spellings(fieldRows)).toEqual(new Map(EVENT_FIELDS));
  });

  it('lists every field of the metadata in every spelling, and no other', () => {
    const others = [...spellings(metadataRows)].filter(([spelling, name]) => spelling !== name);
    expect(new Map(others)).toEqual(new Map(METADATA_FIELDS));
    const known = metadataRows.map(([name]) => code(name!)).filter((name) => !['deliverAt', 'delayMs'].includes(name));
    const { metadata } = stored(JSON.parse(blocks(events, 'json event')[1]!));
    expect(Object.keys(metadata!)).toEqual([...known, 'tenant']);
  });

  it.each(blocks(events, 'json event'))('shows an event that is accepted: %#', (text) => {
    expect(stored(parseJson(text, limits))).toMatchObject({ type: 'order.created' });
  });

  it('shows how the full event is stored, and its defaults', () => {
    const [small, full] = blocks(events, 'json event').map((text) => stored(JSON.parse(text)));
    expect(JSON.stringify(full)).toBe(JSON.stringify(JSON.parse(blocks(events, 'json stored')[0]!)));
    expect(small).toEqual({
      id: ID,
      type: 'order.created',
      source: 'shop',
      timestamp: new Date(NOW_MS).toISOString(),
      version: '1.0',
      topic: 'order.created',
      priority: 2,
      metadata: { tags: [], retryCount: 0, maxRetries: 3 },
      payload: {},
    });
  });

  it.each(table(events, 'Pattern'))('says what the pattern %s matches', (pattern, matching, others) => {
    const parsed = parsePattern(code(pattern!), limits);
    const match = (topic: string) => matchesPattern(parsed, parseTopic(topic, limits));
    expect(codes(matching!).filter((topic) => !match(topic))).toEqual([]);
    expect(codes(others!).filter(match)).toEqual([]);
  });

  it.each(table(events, 'Event'))('says how %s is refused', (event, error, pointer) => {
    const expected = { code: code(error!), pointer: written(pointer!) };
    expect(refusal(() => stored(JSON.parse(code(event!))))).toEqual(expected);
  });

  it.each(table(events, 'Text'))('says that the text %s is refused', (text, pointer) => {
    const expected = { code: 'invalid_json', pointer: code(pointer!) };
    expect(refusal(() => parseJson(code(text!), limits))).toEqual(expected);
  });

  it('gives the sizes as they are', () => {
    for (const [name, text] of table(events, 'Limit')) {
      const value = limits[code(name!) as keyof typeof limits];
      expect(text!.split(' ')[0]).toBe(value.toLocaleString('en-US'));
    }
  });
});

describe('docs/subscriptions.md', () => {
  const request = { topic: 'a', endpoint: 'https://example.com/' };
  const parts: [string, FieldTable][] = [
    ['a subscription', SUBSCRIPTION_FIELDS],
    ['a filter', FILTER_FIELDS],
    ['options', OPTION_FIELDS],
    ['startFrom', START_FIELDS],
    ['retryPolicy', RETRY_FIELDS],
  ];

  it.each(parts.map(([name, fields], nth) => ({ name, fields, nth })))(
    'lists every field of $name in every spelling, and no other',
    ({ fields, nth }) => {
      expect(spellings(table(subscriptions, 'Field', nth))).toEqual(new Map(fields.names));
    },
  );

  it('lists every field of a breaker with its default', () => {
    const rows = table(subscriptions, 'Of `breaker`');
    expect(spellings(rows)).toEqual(new Map(BREAKER_FIELDS.names));
    expect(Object.fromEntries(rows.map(([name, , value]) => [code(name!), Number(value)]))).toEqual(DEFAULT_BREAKER);
  });

  it.each([
    ['subscription', SUBSCRIPTION_FIELDS],
    ['options', OPTION_FIELDS],
    ['filter', FILTER_FIELDS],
  ] as const)('lists every field of a later version in: %s', (name, fields) => {
    const line = subscriptions
      .split('\n')
      .find((text) => text.startsWith('- In ') && text.split(':')[0]!.endsWith(name));
    expect(new Set(codes(line!))).toEqual(new Set(fields.later));
  });

  it.each(blocks(subscriptions, 'json subscription'))('shows a request that is accepted: %#', (text) => {
    expect(parseSubscription(parseJson(text, limits), limits)).toMatchObject({ topic: 'order.*' });
  });

  it('shows how the full request is kept', () => {
    const [, full] = blocks(subscriptions, 'json subscription');
    expect(parseSubscription(JSON.parse(full!), limits)).toEqual(JSON.parse(blocks(subscriptions, 'json kept')[0]!));
  });

  it('gives the defaults as they are', () => {
    const defaults = new Map(table(subscriptions, 'Field', 2).map(([name, , value]) => [code(name!), value!]));
    const webhook = parseSubscription(request, limits).options;
    const handler = parseSubscription({ topic: 'a', handler: () => {} }, limits).options;
    const socket = parseSubscription({ topic: 'a' }, limits, 'socket').options;
    const dialled = parseSubscription({ topic: 'a', endpoint: 'ws://a.example/' }, limits).options;
    expect(defaults.get('batchSize')).toBe(String(webhook.batchSize));
    expect(defaults.get('inFlightMax')).toBe(String(webhook.inFlightMax));
    expect(defaults.get('startFrom')).toBe(`\`${webhook.startFrom}\``);
    for (const name of ['maxConcurrency', 'timeoutMs'] as const) {
      const ways = `${handler[name]} for a handler, ${webhook[name]} for a webhook, ${socket[name]} for a socket`;
      expect(defaults.get(name)).toBe(`${ways} or \`ws\` endpoint`);
      expect(dialled[name]).toBe(socket[name]);
    }
    const policy = table(subscriptions, 'Field', 4).map(([name, , value]) => [code(name!), value]);
    expect(policy).toEqual(Object.entries(DEFAULT_RETRY_POLICY).map(([name, value]) => [name, String(value)]));
  });

  it.each(table(subscriptions, 'Filter'))('says what the filter %s lets through', (filter, passing, other) => {
    const passes = compileFilter(parseFilter(JSON.parse(code(filter!)), limits, ''));
    expect(passes(anEvent(JSON.parse(code(passing!))))).toBe(true);
    expect(passes(anEvent(JSON.parse(code(other!))))).toBe(false);
  });

  it.each(table(subscriptions, 'Request'))('says how %s is refused', (text, error, pointer) => {
    const expected = { code: code(error!), pointer: code(pointer!) };
    expect(refusal(() => parseSubscription(JSON.parse(code(text!)), limits))).toEqual(expected);
  });

  it('shows a dead letter as it is', { timeout: 60_000 }, async () => {
    const main = 'examples/dead-letters/main.ts';
    expect(blocks(subscriptions, 'ts')[0]).toBe(readFileSync(join(root, main), 'utf8'));
    const { stdout } = await run(process.execPath, ['--conditions=source', join(root, main)]);
    const untimed = (text: string) =>
      text.replaceAll(/\b\d{13}\b/g, 'MS').replaceAll(/("timestamp": )"[^"]*"/g, '$1"NOW"');
    const shown = [...blocks(subscriptions, 'json told'), ...blocks(subscriptions, 'json dead-letters')].join('');
    expect(untimed(stdout)).toBe(untimed(shown));
  });

  it('shows a receiver that takes what the bus sends, once, and nothing that is signed by others', async () => {
    const source = readFileSync(join(root, 'examples/webhook-receiver/receiver.ts'), 'utf8');
    expect(blocks(subscriptions, 'ts')[1]).toBe(source);
    const { secret } = JSON.parse(blocks(subscriptions, 'json signature')[0]!) as { secret: string };
    const taken: unknown[] = [];
    const server = receiver(secret, async (event) => void taken.push(event));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const guard = addressGuard({ allow: ['loopback'] });
    await using bus = new EventManager({
      webhookSink: ({ sink }) =>
        webhookSink({ ...(sink as SubscriptionSink & { kind: 'webhook' }), runtime: systemRuntime, guard }),
    });
    await bus.subscribe({ topic: '#', endpoint, secret });
    await bus.subscribe({ topic: '#', endpoint, secret });
    const stranger = `whsec_${Buffer.alloc(32).toString('base64')}`;
    const options = { retryPolicy: { maxRetries: 0 } };
    const { id: strangerId } = await bus.subscribe({ topic: '#', endpoint, secret: stranger, options });
    const { id } = await bus.publish({ type: 'order.created', source: 'shop' });
    await bus.settled();
    expect(taken).toMatchObject([{ id, type: 'order.created' }]);
    expect(await bus.listDeadLetters()).toMatchObject([{ subscriptionId: strangerId, errors: [{ code: 'http_401' }] }]);
  });

  it('gives a signature that is right', () => {
    const vector = JSON.parse(blocks(subscriptions, 'json signature')[0]!) as Record<string, string>;
    const { secret, body, ...headers } = vector;
    const timestampSeconds = Number(headers['webhook-timestamp']);
    const content = { id: headers['webhook-id']!, timestampSeconds, body: Buffer.from(body!) };
    expect(sign(content, [readSecret(secret!)])).toEqual(headers);
  });
});

const pages = ['docs', 'examples', 'packages'].flatMap((folder) =>
  globSync(`${folder}/**/*.md`, { cwd: root, exclude: (name) => name.includes('node_modules') }),
);

/** An empty block is what a guide shows when its region lost its lines: nobody notices but the reader. */
it.each(['README.md', ...pages].map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') })))(
  'shows no empty block and no invisible blanks in one: $name',
  ({ text }) => {
    expect(untidyBlocks(text)).toEqual([]);
  },
);

/** A reader who follows it gets a 404, or a stranger's package of that name. */
it.each(['README.md', ...pages])('installs no package by a name that no registry has: %s', (name) => {
  expect(readFileSync(join(root, name), 'utf8')).not.toMatch(/npm (install|i|add) @event-manager\//);
});

it.each([
  ['events.md', events],
  ['subscriptions.md', subscriptions],
])('%s links only to pages that exist', (_name, text) => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!);
  expect(links.filter((path) => !existsSync(join(root, 'docs', path)))).toEqual([]);
});

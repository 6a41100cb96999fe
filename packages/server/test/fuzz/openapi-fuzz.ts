/**
 * Sends what the service's own OpenAPI document allows, and what it does not, and holds every answer against it. Good data
 * is made from the schemas; bad data is good data spoiled in one place, and counts only when the schema says that it is bad:
 * so the schemas and the readers of the service are proven to agree. Everything follows from the seed.
 */
import { METHODS } from 'node:http';
import fc from 'fast-check';
import { checkAnswer, Findings } from './answer-checks.ts';
import { badParameterValues, spoil } from './bad-data.ts';
import { type Answered, FuzzClient, type Sent } from './fuzz-client.ts';
import { GoodData, isFields, putRight, respell, spellingsOf } from './good-data.ts';
import {
  type OpenApiDocument,
  type Parameter,
  type Route,
  routesOf,
  type Schema,
  SchemaCheck,
} from './openapi-document.ts';
import type { ServiceState } from './service-state.ts';

const JSON_TYPE = 'application/json';
const NDJSON_TYPE = 'application/x-ndjson';
const TRIES_MAX = 50;
/** Of the 16 KiB that a request line and its headers may have. */
const QUERY_CHARACTERS_MAX = 12_000;
/** Each sample from a seed of its own: neighbouring seeds of the whole must not share theirs. */
const SEEDS = 2 ** 31;

export interface FuzzOptions {
  readonly url: string;
  readonly seed: number;
  readonly requests: number;
  readonly document: OpenApiDocument;
  readonly state: ServiceState;
}

export interface FuzzReport {
  readonly seed: number;
  readonly requests: number;
  readonly routes: number;
  /** Routes that never took anything: the fuzz would say nothing about them. */
  readonly untried: readonly string[];
  readonly good: { sent: number; accepted: number };
  readonly bad: { sent: number; refused: number };
  readonly findings: Findings;
}

interface Attempt extends Sent {
  readonly what: string;
}

export class OpenApiFuzz {
  readonly #options: FuzzOptions;
  readonly #check: SchemaCheck;
  readonly #data: GoodData;
  readonly #client: FuzzClient;
  readonly #findings = new Findings();
  readonly #good = { sent: 0, accepted: 0 };
  readonly #bad = { sent: 0, refused: 0 };
  readonly #random: (count: number) => number;
  readonly #untried: Set<string>;
  /** How the bodies of a route were spoiled so far. */
  readonly #tried = new Map<string, Set<string>>();
  #uniques = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#check = new SchemaCheck(options.document);
    this.#data = new GoodData(options.document, options.state);
    this.#client = new FuzzClient(options.url);
    this.#random = randomFrom(options.seed);
    this.#untried = new Set(routesOf(options.document).map(({ method, path }) => `${method} ${path}`));
  }

  async run(): Promise<FuzzReport> {
    const { document, requests, seed, state } = this.#options;
    const routes = routesOf(document);
    // Each kind of trial with each route in turn: chance decides about the data, not about what is tried.
    for (let turn = 0; this.#client.count < requests; turn++) {
      const route = routes[turn % routes.length]!;
      const kind = Math.floor(turn / routes.length) % 8;
      if (kind === 7) await this.#wrongMethod(route);
      else if (kind === 6) await this.#withoutContentType(route);
      else if (kind % 2 === 0) await this.#sendGood(route);
      else await this.#sendBad(route);
      if (state.isFull) await this.#endOldest();
    }
    this.#client.close();
    return {
      seed,
      requests: this.#client.count,
      routes: routes.length,
      untried: [...this.#untried],
      good: this.#good,
      bad: this.#bad,
      findings: this.#findings,
    };
  }

  async #sendGood(route: Route): Promise<void> {
    const attempt = this.#goodAttempt(route);
    if (attempt === undefined) return;
    const answer = await this.#send(route, attempt);
    const accepted = answer.status < 300;
    this.#good.sent++;
    if (accepted) this.#good.accepted++;
    if (accepted) this.#untried.delete(`${route.method} ${route.path}`);
    this.#expect('positive_data_acceptance', accepted && !failedEntries(answer), attempt, answer);
    this.#options.state.note(route, attempt, answer);
    if (answer.status === 204 && route.method === 'DELETE') await this.#useAfterFree(attempt.path);
    const { location } = answer.headers;
    if (answer.status !== 201 || typeof location !== 'string') return;
    const found = await this.#client.send({ method: 'GET', path: location });
    this.#expect('ensure_resource_availability', found.status === 200, attempt, found);
  }

  async #sendBad(route: Route): Promise<void> {
    const attempt = this.#badAttempt(route);
    if (attempt === undefined) return;
    const answer = await this.#send(route, attempt);
    // The other events of a batch are stored, the bad one has its own error.
    const refused = (answer.status >= 400 && answer.status < 500) || failedEntries(answer);
    this.#bad.sent++;
    if (refused) this.#bad.refused++;
    this.#expect('negative_data_rejection', refused, attempt, answer);
    this.#options.state.note(route, attempt, answer);
  }

  async #wrongMethod({ path }: Route): Promise<void> {
    const known = Object.keys(this.#options.document.paths[path]!).map((method) => method.toUpperCase());
    const others = METHODS.filter((method) => !['CONNECT', 'HEAD', ...known].includes(method));
    const attempt = {
      what: 'a method it does not have',
      method: others[this.#random(others.length)]!,
      path: this.#address(path),
    };
    const answer = await this.#client.send(attempt);
    const allow = String(answer.headers['allow'])
      .split(', ')
      .filter((method) => method !== 'HEAD');
    const isRight = answer.status === 405 && allow.join() === known.sort().join();
    this.#expect('unsupported_method', isRight, attempt, answer);
  }

  /** The one header that some routes cannot do without. */
  async #withoutContentType(route: Route): Promise<void> {
    const attempt = this.#goodAttempt(route);
    if (attempt?.body === undefined) return;
    const { headers: _headers, ...bare } = attempt;
    const answer = await this.#send(route, bare);
    this.#expect('missing_required_header', answer.status === 415, attempt, answer);
  }

  async #endOldest(): Promise<void> {
    const path = `/subscriptions/${this.#options.state.takeOldest()}`;
    await this.#client.send({ method: 'DELETE', path });
    await this.#useAfterFree(path);
  }

  async #useAfterFree(path: string): Promise<void> {
    for (const [method, more] of path.startsWith('/subscriptions') ? USES : USES.slice(0, 2)) {
      const answer = await this.#client.send({ method, path: path + more });
      this.#expect('use_after_free', answer.status === 404, { what: 'use after delete', method, path }, answer);
    }
  }

  async #send(route: Route, attempt: Attempt): Promise<Answered> {
    const answer = await this.#client.send(attempt);
    const { document } = this.#options;
    checkAnswer({
      operation: route.operation,
      answer,
      check: this.#check,
      findings: this.#findings,
      context: attempt,
      document,
    });
    return answer;
  }

  #expect(check: Parameters<Findings['expect']>[0], holds: boolean, attempt: Attempt, answer: Answered): void {
    this.#findings.expect(check, holds, { ...attempt, status: answer.status, answer: answer.text.slice(0, 600) });
  }

  #goodAttempt({ method, path, operation }: Route): Attempt | undefined {
    if (method === 'DELETE' && !this.#options.state.hasSeveral(path)) return undefined;
    if (path.includes('{') && this.#options.state.idFor(path, this.#random) === undefined) return undefined;
    const query = this.#query(operation.parameters ?? []);
    const isNew = method === 'PUT' && this.#random(2) === 0;
    const address = (isNew ? path.replace(/\{\w+\}/, `new-${this.#uniques++}`) : this.#address(path)) + query;
    const content = operation.requestBody?.content;
    if (!content) return { what: 'good', method, path: address };
    const types = Object.keys(content);
    const type = types[this.#random(types.length)]!;
    const schema = type === NDJSON_TYPE ? this.#lines() : content[type]!.schema;
    const sample = this.#sample(schema);
    // What is declared on one topic must not decide about the events that are published on another.
    if (path === '/topics' && isFields(sample)) sample['topic'] = `declared.${this.#uniques++}`;
    // It has to agree with what the subscription is already.
    if (method === 'PATCH' && isFields(sample)) delete sample['connectionType'];
    if (/^\/dead-letters\/(redrive|discard)$/.test(path) && isFields(sample)) putLettersRight(sample);
    if ((path === '/replays' || path === '/replay') && isFields(sample)) putReplayRight(sample);
    const value = respell(this.#options.document, schema, sample, this.#random);
    return { what: 'good', method, path: address, headers: { 'content-type': type }, body: written(type, value) };
  }

  #badAttempt(route: Route): Attempt | undefined {
    const { method, path, operation } = route;
    const content = operation.requestBody?.content;
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in !== 'path');
    if (content) return this.#badBody(route, content);
    if (parameters.length > 0) return this.#badQuery(method, path, parameters);
    // What has neither a body nor parameters can only be asked for something that is not there.
    return path.includes('{')
      ? { what: 'unknown id', method, path: path.replace(/\{\w+\}/, this.#unknownId()) }
      : undefined;
  }

  #badBody({ method, path }: Route, content: NonNullable<Route['operation']['requestBody']>['content']): Attempt {
    const types = Object.keys(content);
    const type = types[this.#random(types.length)]!;
    const schema = type === NDJSON_TYPE ? this.#lines() : content[type]!.schema;
    const headers = { 'content-type': type };
    for (;;) {
      const { document } = this.#options;
      const tried = this.#triedAt(`${method} ${path} ${type}`);
      const how = { document, check: this.#check, pick: this.#random, tried };
      // A list of lines that is no list is no upload of lines.
      const isUsable = type === NDJSON_TYPE ? Array.isArray : () => true;
      const mutation = spoil(how, schema, this.#sample(schema), isUsable);
      if (mutation)
        return { what: mutation.what, method, path: this.#address(path), headers, body: written(type, mutation.value) };
    }
  }

  #triedAt(place: string): Set<string> {
    const tried = this.#tried.get(place) ?? new Set();
    this.#tried.set(place, tried);
    return tried;
  }

  #badQuery(method: string, path: string, parameters: readonly Parameter[]): Attempt | undefined {
    const { document } = this.#options;
    const address = this.#address(path);
    const trials = parameters.flatMap((parameter) =>
      badParameterValues(document, this.#check, parameter.schema).map((value) => ({ parameter, value })),
    );
    const trial = trials[this.#random(trials.length + 2)];
    if (trial === undefined) {
      // An address without parameters of its own does not look at any.
      const takesNone = !parameters.some((parameter) => parameter.in === 'query');
      return takesNone ? undefined : { what: 'unknown parameter', method, path: `${address}?colour=red` };
    }
    const { parameter, value } = trial;
    if (parameter.in === 'header') {
      const headers = { [parameter.name]: value.replace(/[^ -~]/g, '?') || '?' };
      return { what: `header ${parameter.name}`, method, path: address, headers };
    }
    const spellings = spellingsOf(parameter.name, parameter.schema);
    const name = spellings[this.#random(spellings.length)]!;
    return { what: `parameter ${name}`, method, path: `${address}?${new URLSearchParams([[name, value]])}` };
  }

  #query(parameters: readonly Parameter[]): string {
    const pairs: string[][] = [];
    for (const { name, schema, in: place } of parameters) {
      if (place !== 'query' || this.#random(3) > 0) continue;
      const spellings = spellingsOf(name, schema);
      const spelling = spellings[this.#random(spellings.length)]!;
      for (const value of [this.#sample(schema)].flat()) pairs.push([spelling, String(value)]);
    }
    const query = new URLSearchParams(pairs).toString();
    // A longer one is refused for its length, whatever it says.
    return query === '' || query.length > QUERY_CHARACTERS_MAX ? '' : `?${query}`;
  }

  #lines(): Schema {
    return LINES;
  }

  #sample(schema: Schema): unknown {
    const arbitrary = this.#data.of(schema);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const [value] = fc.sample(arbitrary, { seed: this.#random(SEEDS), numRuns: 1 });
      // Parsed anew: what is changed afterwards must not be part of the generator, and a minus before zero is not written.
      const own = value === undefined ? value : JSON.parse(JSON.stringify(value));
      const right = putRight(own, () => String(this.#uniques++));
      if (this.#check.fault(schema, right) === undefined) return right;
    }
    throw new Error(`No good data for ${JSON.stringify(schema).slice(0, 200)}`);
  }

  #address(path: string): string {
    return path.replace(/\{\w+\}/, () => this.#options.state.idFor(path, this.#random) ?? this.#unknownId());
  }

  #unknownId(): string {
    return String(fc.sample(fc.uuid(), { seed: this.#random(SEEDS), numRuns: 1 })[0]);
  }
}

/** Letters by ids of chance are not there, and where nothing chooses them it has to be said that all are meant. */
function putLettersRight(sample: Record<string, unknown>): void {
  delete sample['ids'];
  delete sample['payload'];
  sample['all'] = true;
}

/** Where nothing chooses events it has to be said that all are meant, and two places of chance are as often the wrong way round. */
function putReplayRight(sample: Record<string, unknown>): void {
  sample['all'] = true;
  if ('from' in sample) delete sample['to'];
}

/** What can be asked of a subscription that is not there any more. */
const USES = [
  ['GET', ''],
  ['DELETE', ''],
  ['POST', '/pause'],
  ['POST', '/test'],
  ['GET', '/dead-letters'],
] as const;

const LINES: Schema = { type: 'array', items: { $ref: '#/components/schemas/EventIn' } };

function written(type: string, value: unknown): string {
  if (type === JSON_TYPE) return JSON.stringify(value);
  return (value as unknown[]).map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** True when an answer about several events says that one of them was refused. */
function failedEntries({ status, text, headers }: Answered): boolean {
  if (status !== 207) return false;
  const isLines = String(headers['content-type']).startsWith(NDJSON_TYPE);
  const entries: unknown[] = isLines
    ? text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : JSON.parse(text).results;
  return entries.some((entry) => isFields(entry) && Number(entry['status']) >= 400);
}

/** A whole number below `count`; always the same ones from the same seed (mulberry32). */
function randomFrom(seed: number): (count: number) => number {
  let state = seed >>> 0;
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  };
}

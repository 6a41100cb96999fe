import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { DEFAULT_LIMITS } from '@event-manager/core';
import { expect, it, onTestFinished } from 'vitest';
import { routeDocuments } from '../../../src/protocols/http/schemas/route-documents.ts';
import { HTTP_STATUS } from '../../../src/protocols/http/status.ts';
import { type OpenApiDocument, routesOf, SchemaCheck } from '../../fuzz/openapi-document.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

async function readDocument(): Promise<OpenApiDocument> {
  const { url } = await runService();
  return (await call(`${url}/openapi.json`)).body;
}

it('describes every route that there is, and none besides', async () => {
  const document = await readDocument();
  expect(document.openapi).toMatch(/^3\.1\./);
  const operations = routesOf(document).map(({ method, path, operation }) => ({
    route: `${method} ${path}`,
    operation,
  }));
  const undescribed = operations.filter(({ operation }) => !operation.operationId || !operation.tags[0]);
  expect(undescribed.map(({ route }) => route)).toEqual([]);
  const documented = Object.keys(routeDocuments(DEFAULT_LIMITS)).map((route) => route.replace(/:(\w+)/g, '{$1}'));
  expect(operations.map(({ route }) => route).sort()).toEqual(documented.sort());
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

it('is JSON Schema 2020-12 throughout, names only schemas that it has, and its examples are valid', async () => {
  const document = await readDocument();
  const check = new SchemaCheck(document);
  for (const { operation } of routesOf(document)) {
    const { parameters = [], requestBody = { content: {} }, responses } = operation;
    for (const { schema } of parameters) check.fault(schema, undefined);
    for (const { content = {} } of [requestBody, ...Object.values(responses)]) {
      for (const { schema } of Object.values(content)) check.fault(schema, undefined);
    }
  }
  const { schemas } = document.components;
  for (const [name, schema] of Object.entries(schemas)) {
    for (const example of schema.examples ?? [])
      expect([name, check.fault(schema, example)]).toEqual([name, undefined]);
  }
  for (const name of ['EventIn', 'SubscriptionIn', 'Filter', 'Problem'])
    expect(schemas[name]?.examples).not.toHaveLength(0);
});

it('describes what an endpoint is sent, and what it is sent fits', async () => {
  const bodies: unknown[] = [];
  const server = createServer(async (request, response) => {
    bodies.push({ headers: request.headers, body: await json(request) });
    response.writeHead(204).end();
    server.emit('received');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close().closeAllConnections());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { url } = await runService({ webhookAllow: ['loopback'] });
  const document: OpenApiDocument = (await call(`${url}/openapi.json`)).body;
  const { post } = document.webhooks!['delivery']!;
  const secret = `whsec_${Buffer.alloc(32).toString('base64')}`;
  for (const batchSize of [1, 2]) {
    await postJson(`${url}/subscriptions`, { topic: '#', endpoint, secret, options: { batchSize } });
  }
  await postJson(`${url}/events`, sample());
  while (bodies.length < 2) await once(server, 'received');
  const check = new SchemaCheck(document);
  const { schema } = post!.requestBody!.content['application/json']!;
  for (const { headers, body } of bodies as { headers: Record<string, string>; body: unknown }[]) {
    expect(check.fault(schema, body)).toBeUndefined();
    for (const { name } of post!.parameters!) {
      expect(headers[name], name).toBeTypeOf(name === 'event-manager-replay' ? 'undefined' : 'string');
    }
  }
});

it('says for each route and status which codes it gives, under the status that they have', async () => {
  const document = await readDocument();
  for (const { method, path, operation } of routesOf(document)) {
    const route = `${method} ${path}`;
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      const codes = JSON.stringify(content['application/problem+json'] ?? {}).match(/"enum":\[(.*?)\]/)?.[1];
      const wrong = (JSON.parse(`[${codes ?? ''}]`) as (keyof typeof HTTP_STATUS)[]).filter(
        (code) => HTTP_STATUS[code] !== Number(status),
      );
      expect([route, status, wrong]).toEqual([route, status, []]);
    }
    for (const status of ['400', '500', '503']) expect(operation.responses, route).toHaveProperty(status);
  }
});

it('serves a page for people, with everything it needs, to this machine only', async () => {
  const { url } = await runService();
  for (const path of ['/docs', '/docs/']) {
    const page = await call(`${url}${path}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    // Nothing written into the page itself may run: the policy would stop it.
    expect(page.body).not.toMatch(/<script>|<style|https?:\/\/|on\w+=/);
    const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part);
    expect(parts.length).toBeGreaterThan(4);
    for (const part of parts) {
      const answer = await call(new URL(part, `${url}${path}`).href);
      expect([part, answer.status]).toEqual([part, 200]);
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    }
  }
  const document = await call(`${url}/docs/json`);
  expect(document.body).toEqual((await call(`${url}/openapi.json`)).body);
  const foreign = await call(`${url}/docs`, { headers: { origin: 'https://evil.example' } });
  expect([foreign.status, foreign.body.code]).toEqual([400, 'invalid_request']);
  for (const path of ['/docs/static/../../package.json', '/docs/static/%2e%2e/package.json', '/docs/static/x']) {
    expect((await call(`${url}${path}`)).status, path).toBe(404);
  }
});

const page = readFileSync(new URL('../../../../../docs/http.md', import.meta.url), 'utf8');

it('is told in docs/http.md, route by route, in both directions', async () => {
  const document = await readDocument();
  const rows = [...page.matchAll(/^\| (`(?:GET|POST|PATCH|DELETE|PUT) .*?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([A-Z]+ \/[^` ]*)/g)].map(([, route]) => route!),
  );
  const routes = routesOf(document).map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(rows)].sort()).toEqual(routes.sort());
});

it('is told in docs/http.md, parameter by parameter of a search, in every spelling', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]*)\| [^|]+ \|$/gm)].map(([, name, others]) => [
    name,
    [...others!.matchAll(/`(\w+)`/g)].map(([, other]) => other),
  ]);
  const { query } = routeDocuments(DEFAULT_LIMITS)['GET /events']!;
  const documented = Object.entries(query!).map(([name, schema]) => [
    name,
    (schema as { 'x-other-spellings'?: readonly string[] })['x-other-spellings'] ?? [],
  ]);
  expect(rows).toEqual(documented);
});

it('is told in docs/http.md by answers that fit it', async () => {
  const document = await readDocument();
  const check = new SchemaCheck(document);
  const examples = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text]) => JSON.parse(text!));
  expect(examples).toHaveLength(1);
  for (const example of examples)
    expect(check.fault(document.components.schemas['TestOutcome']!, example)).toBeUndefined();
});

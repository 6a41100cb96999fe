import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startService } from '../../../src/index.ts';
import { configure } from '../../configure.ts';
import { type ParsedFamily, parseExposition } from '../../metrics/parse-exposition.ts';
import { call, postJson, runService, sample } from '../../running-service.ts';

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
/** As Prometheus 3 sends it. */
const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,*/*;q=0.1';

const scrape = (url: string, accept = '*/*') => call(`${url}/metrics`, { headers: { accept } });

async function read(url: string): Promise<(name: string, labels?: object) => number | undefined> {
  const families = parseExposition((await scrape(url)).body, 'prometheus');
  return (name, labels = {}) => sampleOf(families, name, labels);
}

function sampleOf(families: readonly ParsedFamily[], name: string, labels: object): number | undefined {
  const wanted = JSON.stringify(labels);
  const samples = families.flatMap((family) => family.samples);
  return samples.find((found) => found.name === name && JSON.stringify(found.labels) === wanted)?.value;
}

describe('GET /metrics', () => {
  it('is the text form of Prometheus, OpenMetrics where it is named, JSON where that comes first', async () => {
    const { url } = await runService();
    const plain = await scrape(url);
    expect(plain.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(parseExposition(plain.body, 'prometheus').length).toBeGreaterThan(40);
    const open = await scrape(url, PROMETHEUS_ACCEPT);
    expect(open.headers.get('content-type')).toBe(OPENMETRICS);
    expect(open.body).toContain('\neventmanager_events_published_total 0\n');
    // A counter's metric loses its suffix there; that must not reach the other form, nor the next answer.
    for (let again = 0; again < 2; again++) {
      parseExposition((await scrape(url, PROMETHEUS_ACCEPT)).body, 'openmetrics');
      const names = parseExposition((await scrape(url)).body, 'prometheus').map(({ name }) => name);
      expect(names).toContain('process_cpu_seconds_total');
      expect(names).toContain('eventmanager_events_published_total');
    }
    const json = await scrape(url, 'application/json, text/plain');
    expect(json.body).toMatchObject({ eventsPublished: 0, publishLatency: { count: 0, buckets: expect.any(Array) } });
    expect(json.headers.get('cache-control')).toBe('no-store');
  });

  it('counts what came in, what was refused, and what is ready', async () => {
    const { url } = await runService();
    await postJson(`${url}/events`, sample());
    await postJson(`${url}/events/batch`, [sample(), sample({ type: '' })]);
    const value = await read(url);
    expect(value('eventmanager_events_published_total')).toBe(2);
    expect(value('eventmanager_events_rejected_total', { code: 'invalid_event' })).toBe(1);
    expect(value('eventmanager_publish_duration_seconds_count')).toBe(2);
    expect(value('eventmanager_ready')).toBe(1);
    expect(value('eventmanager_connections')).toBeGreaterThan(0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('counts bodies and lines that never became an event', async () => {
    const { url } = await runService();
    await postJson(`${url}/events`, '{"type":');
    await call(`${url}/events`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' });
    const headers = { 'content-type': 'application/x-ndjson' };
    await call(`${url}/events/batch`, { method: 'POST', headers, body: `nothing\n${JSON.stringify(sample())}\n[` });
    // Not an event, and no publishing.
    await postJson(`${url}/subscriptions`, '{"topic":');
    const value = await read(url);
    expect(value('eventmanager_events_rejected_total', { code: 'invalid_json' })).toBe(3);
    expect(value('eventmanager_events_rejected_total', { code: 'unsupported_media_type' })).toBe(1);
    expect(value('eventmanager_events_published_total')).toBe(1);
  });

  it('has the names that alert rules in use are written with, in the form that Prometheus asks for', async () => {
    const { url } = await runService();
    const refusing = createServer((request, response) =>
      request.resume().on('end', () => response.writeHead(500).end()),
    );
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void refusing.close());
    const { port } = refusing.address() as AddressInfo;
    const { url: open } = await runService({ webhookAllow: ['loopback'] });
    const endpoint = `http://127.0.0.1:${port}/events/webhook`;
    const retryPolicy = { maxRetries: 5, initialDelay: 60_000 };
    await postJson(`${open}/subscriptions`, {
      topic: '#',
      endpoint,
      subscriber: 'aas-service',
      options: { retryPolicy },
    });
    await postJson(`${open}/events`, sample());
    await expect.poll(async () => (await read(open))('aas_webhook_failures')).toBe(1);
    const families = parseExposition((await scrape(open, PROMETHEUS_ACCEPT)).body, 'openmetrics');
    expect(sampleOf(families, 'aas_webhook_failures', {})).toBe(1);
    expect(sampleOf(families, 'event_manager_queue_depth', {})).toBe(1);
    // Nobody says "not connected" of a connection that nobody asked for.
    expect(families.find(({ name }) => name === 'aas_websocket_connected')?.samples).toEqual([]);
    expect((await read(url))('aas_webhook_failures')).toBe(0);
    await postJson(`${open}/subscriptions`, {
      topic: 'a',
      endpoint: 'ws://127.0.0.1:9/events',
      subscriber: 'aas-service',
    });
    await expect.poll(async () => (await read(open))('aas_websocket_connected')).toBe(0);
    expect((await read(open))('eventmanager_realtime_subscriptions', { state: 'disconnected' })).toBe(1);
  });

  it('shows each durable subscription by its name, or by its id, and no more than two hundred', async () => {
    const { url } = await runService({ webhookAllow: ['loopback'] });
    const nasty = 'with "quotes", \\ and {braces}';
    const hook = { topic: 'x', endpoint: 'http://127.0.0.1:9/hook' };
    await postJson(`${url}/subscriptions`, { ...hook, name: nasty });
    const { body } = await postJson(`${url}/subscriptions`, hook);
    for (let at = 0; at < 205; at++) await postJson(`${url}/subscriptions`, { ...hook, name: `s${at}` });
    const value = await read(url);
    expect(value('eventmanager_subscription_lag', { subscription: nasty })).toBe(0);
    expect(value('eventmanager_subscription_stalled', { subscription: body.id })).toBe(0);
    expect(value('eventmanager_subscription_lag', { subscription: 's197' })).toBe(0);
    expect(value('eventmanager_subscription_lag', { subscription: 's198' })).toBeUndefined();
    expect(value('eventmanager_subscriptions_unlisted')).toBe(7);
    expect(value('eventmanager_subscriptions')).toBe(207);
  });

  it('holds what a linter of Prometheus asks for', async ({ skip }) => {
    const { url } = await runService();
    const { body } = await scrape(url);
    const lint = await new Promise<{ code: unknown; text: string }>((resolve) => {
      const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) =>
        resolve({ code: (error as { code?: unknown } | null)?.code, text: stdout + stderr }),
      );
      child.stdin?.on('error', () => {}).end(body);
    });
    if (lint.code === 'ENOENT') skip('promtool is not installed');
    expect(lint.text.split('\n').filter((line) => /eventmanager_|event_manager_|aas_|error/i.test(line))).toEqual([]);
  });
});

describe('the port of the metrics', () => {
  it('serves them and nothing else', async () => {
    const service = await runService({ metricsEnabled: true, metricsPort: 0 });
    const { metricsUrl } = service;
    expect((await call(metricsUrl!)).status).toBe(200);
    expect(new URL(metricsUrl!).port).not.toBe(new URL(service.url).port);
    const elsewhere = await call(new URL('/events', metricsUrl).href);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([404, 'route_not_found']);
  });

  it('answers only this machine by its own names, as the service does', async () => {
    const { metricsUrl } = await runService({ metricsEnabled: true, metricsPort: 0 });
    const { createConnection } = await import('node:net');
    const answer = await new Promise<string>((resolve) => {
      const socket = createConnection(Number(new URL(metricsUrl!).port), '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.on('close', () => resolve(text));
      socket.write('GET /metrics HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
  });

  it('is a warning when it is taken, and the service runs', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    const service = await runService({ metricsEnabled: true, metricsPort: port });
    expect(service.metricsUrl).toBeUndefined();
    expect(service.warnings).toContainEqual(expect.stringMatching(new RegExp(`port ${port} \\(EADDRINUSE\\)`)));
    expect((await call(`${service.url}/health`)).body.warnings).toEqual(service.warnings);
    expect((await scrape(service.url)).status).toBe(200);
  });

  it('is free again when the service has stopped', async () => {
    const configuration = configure({ metricsEnabled: true, metricsPort: 0 });
    const service = await startService({ configuration, logger: pino({ level: 'silent' }) });
    const { metricsUrl } = service;
    await service.stop();
    await expect(fetch(metricsUrl!)).rejects.toThrow();
  });
});

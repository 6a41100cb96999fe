import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type Configuration, type Service, startService } from '../src/index.ts';
import { configure } from './configure.ts';

/** Starts a service of this process on a free port and ends it with the test. In memory unless the settings say otherwise. */
export async function runService(settings: Partial<Configuration> = {}): Promise<Service> {
  const service = await startService({ configuration: configure(settings), logger: pino({ level: 'silent' }) });
  onTestFinished(() => service.stop());
  return service;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  readonly body: any;
}

/** One request; the answer's body is parsed when it is JSON. */
export async function call(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson =
    /json/.test(response.headers.get('content-type') ?? '') &&
    !/ndjson/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

export function postJson(url: string, value: unknown): Promise<Answer> {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  return call(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

export function patchJson(url: string, value: unknown): Promise<Answer> {
  return call(url, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  });
}

export function putJson(url: string, value: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return call(url, { method: 'PUT', headers, body: JSON.stringify(value) });
}

export const sample = (more: object = {}) => ({
  type: 'order.created',
  source: 'shop',
  payload: { total: 12.5 },
  ...more,
});

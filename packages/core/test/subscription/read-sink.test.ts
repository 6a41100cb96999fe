import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { changedRequest, mayBecome, throughOf } from '../../src/subscription/changed-request.ts';
import { parseSubscription } from '../../src/subscription/parse-subscription.ts';
import type { SubscriptionDefinition } from '../../src/subscription/subscription.ts';
import { refusal } from '../refusal.ts';

const http = 'https://aas.example:3005/events/webhook';
const ws = 'wss://aas.example:3005/events/realtime';
const secret = 'whsec_x';
const headers = { authorization: 'Bearer 1' };
const handler = () => {};
const usual = { heartbeatMs: 30_000, reconnectAttempts: 5, bufferSize: 100, compression: false };
const sinkOf = (request: object, through?: 'socket') =>
  parseSubscription({ topic: '#', ...request }, DEFAULT_LIMITS, through).sink;

/** Whoever asks for one way and gets another learns of it when events are missing. */
describe('the sink of a request', () => {
  it.each([
    [{ handler }, { kind: 'handler' }],
    [{ handler, options: { realtime: true } }, { kind: 'handler' }],
    [
      { handler, realtime: true, fallbackWebhook: http },
      { kind: 'handler', fallback: { endpoint: http } },
    ],
    [
      { handler, secret, headers, options: { fallback_webhook: http } },
      { kind: 'handler', fallback: { endpoint: http, secret, headers } },
    ],
    [
      { handler, fallbackWebhook: { endpoint: http, secret } },
      { kind: 'handler', fallback: { endpoint: http, secret } },
    ],
    [
      { endpoint: http, secret, headers },
      { kind: 'webhook', endpoint: http, secret, headers },
    ],
    [
      { endpoint: http, realtime: false, fallbackWebhook: false },
      { kind: 'webhook', endpoint: http },
    ],
    [
      { endpoint: http, headers, connection_type: 'webhook', options: { realtime: true, fallback_webhook: http } },
      { kind: 'socket', fallback: { endpoint: http, headers } },
    ],
    [
      { realtime: true, fallbackWebhook: http },
      { kind: 'socket', fallback: { endpoint: http } },
    ],
    [{ endpoint: ws }, { kind: 'websocket', endpoint: ws, ...usual }],
    [
      {
        endpoint: ws,
        connectionType: 'websocket',
        secret,
        headers,
        options: { heartbeatInterval: 1_000, reconnect_attempts: 0, bufferSize: 1, compressionEnabled: true },
      },
      {
        ...{ kind: 'websocket', endpoint: ws, secret, headers },
        ...{ heartbeatMs: 1_000, reconnectAttempts: 0, bufferSize: 1, compression: true },
      },
    ],
    [
      { endpoint: ws, secret, headers, realtime: true, fallbackWebhook: http },
      { kind: 'websocket', endpoint: ws, secret, headers, ...usual, fallback: { endpoint: http, secret } },
    ],
    [
      { endpoint: ws, secret, fallback_webhook: { endpoint: http, headers } },
      { kind: 'websocket', endpoint: ws, secret, ...usual, fallback: { endpoint: http, headers } },
    ],
    [{}, { kind: 'pull' }],
  ])('%j', (request, expected) => {
    expect(sinkOf(request)).toEqual(expected);
  });

  it('is a socket for whoever comes through one, with a fallback if it wants one', () => {
    expect(sinkOf({}, 'socket')).toEqual({ kind: 'socket' });
    const fallback = { endpoint: http, secret };
    expect(sinkOf({ realtime: true, fallbackWebhook: http, secret }, 'socket')).toEqual({ kind: 'socket', fallback });
    expect(refusal(() => sinkOf({ endpoint: ws }, 'socket'))).toBe('invalid_subscription at /endpoint');
  });

  it.each([
    [{ endpoint: ws, realtime: false }, 'invalid_subscription at /realtime'],
    [{ endpoint: ws, connection_type: 'webhook' }, 'invalid_subscription at /connection_type'],
    [{ endpoint: ws, fallbackWebhook: ws }, 'invalid_endpoint at /fallbackWebhook'],
    [{ endpoint: ws, fallbackWebhook: 'nowhere' }, 'invalid_endpoint at /fallbackWebhook'],
    [{ endpoint: ws, fallbackWebhook: { endpoint: ws } }, 'invalid_endpoint at /fallbackWebhook/endpoint'],
    [{ endpoint: ws, fallbackWebhook: { endpoint: http, url: 1 } }, 'invalid_subscription at /fallbackWebhook/url'],
    [{ endpoint: ws, options: { fallback_webhook: 5 } }, 'invalid_endpoint at /options/fallback_webhook'],
    [{ endpoint: ws, realtime: true, options: { realtime: true } }, 'invalid_subscription at /realtime'],
    [{ endpoint: ws, options: { heartbeat: 0 } }, 'invalid_subscription at /options/heartbeat'],
    [{ endpoint: ws, options: { bufferSize: 0 } }, 'invalid_subscription at /options/bufferSize'],
    [{ endpoint: ws, options: { reconnectAttempts: -1 } }, 'invalid_subscription at /options/reconnectAttempts'],
    [{ endpoint: ws, options: { compression: 'yes' } }, 'invalid_subscription at /options/compression'],
    [{ endpoint: http, options: { bufferSize: 5 } }, 'invalid_subscription at /options/bufferSize'],
    [{ handler, options: { compressionEnabled: true } }, 'invalid_subscription at /options/compressionEnabled'],
    [{ endpoint: http, fallbackWebhook: http }, 'invalid_subscription at /fallbackWebhook'],
    [{ endpoint: http, realtime: true, fallbackWebhook: `${http}2` }, 'invalid_subscription at /fallbackWebhook'],
    [{ handler, endpoint: ws }, 'invalid_subscription at /handler'],
    [{ handler, realtime: false, fallbackWebhook: http }, 'invalid_subscription at /fallbackWebhook'],
    [{ handler, secret, fallbackWebhook: { endpoint: http } }, 'invalid_subscription at /secret'],
    [{ handler, secret }, 'invalid_subscription at /secret'],
    [{ realtime: true }, 'invalid_subscription at /realtime'],
  ])('%j is refused', (request, expected) => {
    expect(refusal(() => sinkOf(request))).toBe(expected);
  });
});

/** Rolling back to webhooks alone is what an operator does at night: one small request has to do it. */
describe('a change between ways', () => {
  const fallback = { endpoint: http, secret, headers };
  const kept: Record<string, object> = {
    webhook: { kind: 'webhook', endpoint: http, secret, headers },
    socket: { kind: 'socket', fallback },
    websocket: { kind: 'websocket', endpoint: ws, secret, headers, ...usual, fallback },
    bare: { kind: 'websocket', endpoint: ws, secret, headers, ...usual },
    plain: { kind: 'socket' },
    handler: { kind: 'handler', fallback },
  };

  it.each([
    ['webhook', { realtime: true }, { kind: 'socket', fallback }],
    [
      'webhook',
      { realtime: true, fallbackWebhook: `${http}2` },
      { kind: 'socket', fallback: { endpoint: `${http}2` } },
    ],
    ['webhook', { endpoint: ws }, { kind: 'websocket', endpoint: ws, secret, ...usual }],
    [
      'webhook',
      { endpoint: ws, fallbackWebhook: http },
      { kind: 'websocket', endpoint: ws, secret, ...usual, fallback: { endpoint: http, secret } },
    ],
    ['socket', { realtime: false }, kept['webhook']],
    ['socket', { options: { realtime: false } }, kept['webhook']],
    ['socket', { topic: 'a.*' }, kept['socket']],
    ['socket', { endpoint: `${http}2` }, { kind: 'socket', fallback: { ...fallback, endpoint: `${http}2` } }],
    ['socket', { fallbackWebhook: false }, { kind: 'socket' }],
    ['socket', { endpoint: ws, realtime: true }, { kind: 'websocket', endpoint: ws, secret, ...usual }],
    ['plain', { fallback_webhook: http }, { kind: 'socket', fallback: { endpoint: http } }],
    ['websocket', { topic: 'a.*' }, kept['websocket']],
    ['websocket', { options: { buffer_size: 7 } }, { ...kept['websocket'], bufferSize: 7 }],
    ['websocket', { realtime: false }, kept['webhook']],
    ['websocket', { endpoint: http }, { kind: 'webhook', endpoint: http, secret }],
    ['websocket', { options: { fallbackWebhook: false } }, kept['bare']],
    ['bare', { fallbackWebhook: http }, { ...kept['bare'], fallback: { endpoint: http, secret } }],
    ['handler', { topic: 'a.*' }, kept['handler']],
    ['handler', { fallbackWebhook: false }, { kind: 'handler' }],
  ])('of a %s by %j', (name, changes, expected) => {
    const before = { topic: '#', sink: kept[name], options: {} } as unknown as SubscriptionDefinition;
    const request = changedRequest(before, changes);
    const { sink } = parseSubscription(request, DEFAULT_LIMITS, throughOf(before, request));
    expect(sink).toEqual(expected);
    expect(mayBecome(before.sink, sink)).toBe(true);
  });

  it.each([
    ['handler', 'webhook'],
    ['webhook', 'handler'],
    ['plain', 'webhook'],
    ['webhook', 'plain'],
  ])('of a %s to a %s is none that can be made', (before, after) => {
    expect(mayBecome(kept[before] as never, kept[after] as never)).toBe(false);
  });
});

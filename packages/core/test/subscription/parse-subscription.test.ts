import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { encodeCursor } from '../../src/query/cursor.ts';
import { DEFAULT_RETRY_POLICY } from '../../src/retry/retry-policy.ts';
import { parseSubscription } from '../../src/subscription/parse-subscription.ts';
import { refusal } from '../refusal.ts';

const parse = (input: unknown) => parseSubscription(input, DEFAULT_LIMITS);
const endpoint = 'https://aas.example:3005/events/webhook';

describe('parseSubscription', () => {
  it('puts in the defaults of each kind of sink', () => {
    const shared = { batchSize: 1, inFlightMax: 1_000, retry: DEFAULT_RETRY_POLICY, startFrom: 'latest' };
    expect(parse({ topic: 'a.*', handler: () => {} })).toEqual({
      topic: 'a.*',
      sink: { kind: 'handler' },
      options: { ...shared, maxConcurrency: 1, timeoutMs: 30_000 },
    });
    expect(parse({ topic: 'a.*', endpoint })).toEqual({
      topic: 'a.*',
      sink: { kind: 'webhook', endpoint },
      options: { ...shared, maxConcurrency: 10, timeoutMs: 15_000 },
    });
    expect(parse({ topic: 'a.*' }).sink).toEqual({ kind: 'pull' });
  });

  it('reads both cases and every spelling to one stored form that is JSON', () => {
    const snake = {
      topic: '#',
      name: 'universal',
      service_name: 'aas',
      endpoint,
      connection_type: 'webhook',
      secret: 'whsec_x',
      headers: { 'X-Tenant': 'a' },
      filters: { priority: 'NORMAL', exclude_types: ['system.heartbeat'] },
      options: {
        priority: 'LOW',
        batch_size: 20,
        max_concurrency: 3,
        timeout_ms: 5_000,
        in_flight_max: 50,
        retry_policy: { max_retries: 1 },
        dead_letter_topic: 'dead/letters',
        start_from: { time: '1970-01-01T00:00:01Z' },
      },
    };
    const camel = {
      topic: '#',
      name: 'universal',
      subscriberId: 'aas',
      endpoint,
      secret: 'whsec_x',
      headers: { 'X-Tenant': 'a' },
      filter: { priority: 2, excludeTypes: ['system.heartbeat'] },
      options: {
        priority: 3,
        batchSize: 20,
        maxConcurrency: 3,
        timeout: 5_000,
        inFlightMax: 50,
        retry: { maxRetries: 1 },
        deadLetterTopic: 'dead/letters',
        startFrom: { timeMs: 1_000 },
      },
    };
    expect(parse(snake)).toEqual(parse(camel));
    expect(parse(snake)).toMatchObject({ subscriber: 'aas', options: { startFrom: { timeMs: 1_000 } } });
    expect(JSON.parse(JSON.stringify(parse(snake)))).toEqual(parse(snake));
  });

  it('takes the cursor of an earlier answer as a start', () => {
    const cursor = encodeCursor([{ partition: 0, position: 9 }]);
    expect(parse({ topic: '#', options: { startFrom: { cursor } } }).options.startFrom).toEqual({ cursor });
  });

  it.each([
    [null, 'invalid_subscription at '],
    [[], 'invalid_subscription at '],
    [{}, 'invalid_subscription at /topic'],
    [{ topic: 1 }, 'invalid_subscription at /topic'],
    [{ topic: 'a*' }, 'invalid_pattern at /topic'],
    [{ topic: '#', colour: 1 }, 'invalid_subscription at /colour'],
    [{ topic: '#', id: 'x' }, 'invalid_subscription at /id'],
    [{ topic: '#', name: '' }, 'invalid_subscription at /name'],
    [{ topic: '#', name: 'a\n' }, 'invalid_subscription at /name'],
    [{ topic: '#', serviceName: 'x'.repeat(256) }, 'invalid_subscription at /serviceName'],
    [{ topic: '#', subscriberId: 'a', service_name: 'b' }, 'invalid_subscription at /service_name'],
    [{ topic: '#', handler: 'f' }, 'invalid_subscription at /handler'],
    [{ topic: '#', handler: () => {}, endpoint }, 'invalid_subscription at /handler'],
    [{ topic: '#', endpoint: 'aas:3005' }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', endpoint: '/events' }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', endpoint: 'file:///etc/passwd' }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', endpoint: 'http://user:secret@host/' }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', endpoint: 'http://host/#x' }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', endpoint: 5 }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', endpoint: `http://host/${'x'.repeat(500)}` }, 'invalid_endpoint at /endpoint'],
    [{ topic: '#', secret: 's' }, 'invalid_subscription at /secret'],
    [{ topic: '#', endpoint, secret: 5 }, 'invalid_subscription at /secret'],
    [{ topic: '#', endpoint, headers: { 'a b': 'c' } }, 'invalid_subscription at /headers'],
    [{ topic: '#', endpoint, headers: { a: 'c\r\nd: e' } }, 'invalid_subscription at /headers'],
    [{ topic: '#', endpoint, headers: ['a'] }, 'invalid_subscription at /headers'],
    [{ topic: '#', connectionType: 'webhook' }, 'invalid_subscription at /connectionType'],
    [{ topic: '#', endpoint, connection_type: 'websocket' }, 'invalid_subscription at /connection_type'],
    [{ topic: '#', endpoint, connection_type: 'grpc' }, 'not_supported at /connection_type'],
    [{ topic: '#', filter: { colour: 1 } }, 'invalid_filter at /filter/colour'],
    [{ topic: '#', filters: null }, 'invalid_filter at /filters'],
    [{ topic: '#', options: null }, 'invalid_subscription at /options'],
    [{ topic: '#', options: { batchSize: 0 } }, 'invalid_subscription at /options/batchSize'],
    [{ topic: '#', options: { batchSize: 1_001 } }, 'invalid_subscription at /options/batchSize'],
    [{ topic: '#', options: { batch_size: 20, inFlightMax: 10 } }, 'invalid_subscription at /options/batch_size'],
    [{ topic: '#', options: { maxConcurrency: 1.5 } }, 'invalid_subscription at /options/maxConcurrency'],
    [{ topic: '#', options: { timeoutMs: 0 } }, 'invalid_subscription at /options/timeoutMs'],
    [{ topic: '#', options: { priority: 7 } }, 'invalid_subscription at /options/priority'],
    [{ topic: '#', options: { retryPolicy: { jitter: 1 } } }, 'invalid_subscription at /options/retryPolicy/jitter'],
    [{ topic: '#', options: { deadLetterTopic: 'a/#' } }, 'invalid_topic at /options/deadLetterTopic'],
    [{ topic: '#', options: { deadLetterTopic: '$sys/a' } }, 'topic_reserved at /options/deadLetterTopic'],
    [{ topic: '#', options: { startFrom: 'now' } }, 'invalid_subscription at /options/startFrom'],
    [{ topic: '#', options: { startFrom: {} } }, 'invalid_subscription at /options/startFrom'],
    [{ topic: '#', options: { startFrom: { cursor: 'x' } } }, 'invalid_cursor at /options/startFrom/cursor'],
    [{ topic: '#', options: { startFrom: { time: 'x' } } }, 'invalid_subscription at /options/startFrom/time'],
    [{ topic: '#', options: { consumerGroup: 'g' } }, 'not_supported at /options/consumerGroup'],
    [{ topic: '#', options: { deliveryLog: true } }, 'invalid_subscription at /options/deliveryLog'],
  ])('refuses %j', (input, expected) => {
    expect(refusal(() => parse(input))).toBe(expected);
  });
});

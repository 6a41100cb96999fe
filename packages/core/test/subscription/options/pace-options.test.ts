import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/limits.ts';
import { changedRequest } from '../../../src/subscription/changed-request.ts';
import { parseSubscription } from '../../../src/subscription/parse-subscription.ts';
import type { SubscriptionDefinition } from '../../../src/subscription/subscription.ts';
import { refusal } from '../../refusal.ts';

const endpoint = 'https://a.example/';
const parse = (options: object, filter?: object) =>
  parseSubscription({ topic: '#', endpoint, options, ...(filter ? { filter } : {}) }, DEFAULT_LIMITS);
const paceOf = ({ options }: Pick<SubscriptionDefinition, 'options'>) => {
  const { rateLimitPerMinute, batchSize, flushIntervalMs, agingMs } = options;
  return JSON.parse(JSON.stringify({ rateLimitPerMinute, batchSize, flushIntervalMs, agingMs }));
};

describe('the options of pace', () => {
  it('are absent unless they are given, so that definitions of older versions say the same', () => {
    expect(paceOf(parse({}))).toEqual({ batchSize: 1 });
    expect(parse({})).toEqual(parse({ rateLimit: 0, flushInterval: 0, agingMs: 0, batchingEnabled: false }));
  });

  it.each([
    [
      { rate_limit: 5, batchSize: 2, flush_interval: 20, aging_ms: 9 },
      { rateLimitPerMinute: 5, batchSize: 2, flushIntervalMs: 20, agingMs: 9 },
    ],
    [{ smartBatching: true }, { batchSize: 20, flushIntervalMs: 100 }],
    [
      { batching_enabled: true, batchSize: 3 },
      { batchSize: 3, flushIntervalMs: 100 },
    ],
    [{ smartBatching: true, flushIntervalMs: 0 }, { batchSize: 20 }],
    [
      { smartBatching: true, inFlightMax: 7 },
      { batchSize: 7, flushIntervalMs: 100 },
    ],
  ])('%j mean %j', (options, pace) => {
    expect(paceOf(parse(options))).toEqual(pace);
  });

  it('may stand in the filter, where the specification has them, and then do not count as conditions', () => {
    const { filter, options } = parse({ batchSize: 20 }, { rateLimitPerMinute: 1_000, batchingEnabled: true });
    expect(paceOf({ options })).toEqual({ rateLimitPerMinute: 1_000, batchSize: 20, flushIntervalMs: 100 });
    expect(filter).toEqual({});
  });

  it.each([
    [{ rateLimitPerMinute: -1 }, '/options/rateLimitPerMinute'],
    [{ rateLimit: 1.5 }, '/options/rateLimit'],
    [{ rateLimit: 1_000_001 }, '/options/rateLimit'],
    [{ flush_interval: 60_001 }, '/options/flush_interval'],
    [{ agingMs: '5' }, '/options/agingMs'],
    [{ smartBatching: 1 }, '/options/smartBatching'],
  ])('%j are refused at %s', (options, pointer) => {
    expect(refusal(() => parse(options))).toBe(`invalid_subscription at ${pointer}`);
  });

  it('are refused when filter and options differ in them', () => {
    expect(refusal(() => parse({ rateLimit: 6 }, { rateLimitPerMinute: 5 }))).toBe(
      'invalid_subscription at /filter/rateLimitPerMinute',
    );
  });

  it.each([
    [{ smartBatching: true }, { options: { smartBatching: false } }, { batchSize: 1 }],
    [{ batchSize: 5 }, { options: { smart_batching: true } }, { batchSize: 20, flushIntervalMs: 100 }],
    [{ batchSize: 5 }, { filter: { batchingEnabled: true } }, { batchSize: 20, flushIntervalMs: 100 }],
    [{ rateLimit: 5, agingMs: 9 }, { options: { rateLimitPerMinute: 0 } }, { batchSize: 1, agingMs: 9 }],
    [{ rateLimit: 5 }, { filter: { rateLimitPerMinute: 7 } }, { rateLimitPerMinute: 7, batchSize: 1 }],
    [
      { rateLimit: 5, smartBatching: true },
      { topic: 'a' },
      { rateLimitPerMinute: 5, batchSize: 20, flushIntervalMs: 100 },
    ],
  ])('%j changed by %j', (options, changes, pace) => {
    const before = { id: 'x', ...parse(options), state: 'active', createdAtMs: 0, updatedAtMs: 0 } as const;
    expect(paceOf(parseSubscription(changedRequest(before, changes), DEFAULT_LIMITS))).toEqual(pace);
  });
});

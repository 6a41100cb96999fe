import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/limits.ts';
import { changedRequest } from '../../../src/subscription/changed-request.ts';
import { parseSubscription } from '../../../src/subscription/parse-subscription.ts';
import { refusal } from '../../refusal.ts';

const ENDPOINT = 'https://receiver.example/';

function parse(options: object) {
  return parseSubscription({ topic: '#', endpoint: ENDPOINT, options }, DEFAULT_LIMITS);
}

function changed(options: object, changes: object, stored: object = {}) {
  const { options: parsed, ...request } = parse(options);
  const times = { createdAtMs: 0, updatedAtMs: 0 };
  const before = { id: 'x', ...request, options: { ...parsed, ...stored }, state: 'active', ...times } as const;
  return parseSubscription(changedRequest(before, { ...changes }), DEFAULT_LIMITS).options;
}

/** Ignored, they let somebody believe for months that a key is parked after its failure. */
describe('an option that would change nothing', () => {
  it.each([
    [{ onFailure: 'park' }, 'onFailure'],
    [{ order: 'none', on_failure: 'skip' }, 'on_failure'],
    [{ order: 'topic', orderingKey: 'payload.id' }, 'orderingKey'],
    [{ order: 'none', orderingKey: 'payload.id' }, 'orderingKey'],
    [{ order: 'topic', agingMs: 100 }, 'agingMs'],
    [{ orderingKey: 'payload.id', agingMs: 100 }, 'agingMs'],
    [{ flushIntervalMs: 10 }, 'flushIntervalMs'],
    [{ batchSize: 1, flush_interval: 10 }, 'flush_interval'],
    [{ smartBatching: true, inFlightMax: 1, flushIntervalMs: 10 }, 'flushIntervalMs'],
  ])('is refused: %j', (options, name) => {
    expect(refusal(() => parse(options))).toBe(`invalid_subscription at /options/${name}`);
  });

  it.each([
    [{ onFailure: 'block', agingMs: 0, flushIntervalMs: 0 }],
    [{ order: 'key', agingMs: 0, onFailure: 'park' }],
    [{ smartBatching: true, flushIntervalMs: 10 }],
    [{ batchSize: 2, flushIntervalMs: 10 }],
  ])('may be said as it is anyway, and beside what it belongs to: %j', (options) => {
    expect(() => parse(options)).not.toThrow();
  });

  it.each([
    [{ onFailure: 'park' }, 'onFailure'],
    [{ orderingKey: 'payload.id', order: 'topic' }, 'orderingKey'],
    [{ flushInterval: 10 }, 'flushInterval'],
  ])('is refused in a change: %j', (options, name) => {
    expect(refusal(() => changed({}, { options }))).toBe(`invalid_subscription at /options/${name}`);
  });

  it('goes with what it belonged to, when that is changed', () => {
    const ordered = { orderingKey: 'payload.id', onFailure: 'park' };
    expect(changed(ordered, { options: { order: 'none' } })).not.toHaveProperty('onFailure');
    expect(changed(ordered, { options: { order: 'topic' } })).toMatchObject({ order: 'topic', onFailure: 'park' });
    expect(changed(ordered, { options: { order: 'topic' } })).not.toHaveProperty('orderingKey');
    expect(changed({ agingMs: 100 }, { options: { order: 'topic' } })).not.toHaveProperty('agingMs');
    expect(changed({ smartBatching: true }, { options: { batchSize: 1 } })).not.toHaveProperty('flushIntervalMs');
  });

  it('and that an older version kept, hinders no other change', () => {
    expect(changed({ order: 'topic' }, { topic: 'a' }, { agingMs: 100 })).not.toHaveProperty('agingMs');
    expect(changed({}, { options: { maxConcurrency: 2 } }, { flushIntervalMs: 10 })).not.toHaveProperty(
      'flushIntervalMs',
    );
  });
});

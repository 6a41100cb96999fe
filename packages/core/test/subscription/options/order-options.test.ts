import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/limits.ts';
import { parseSubscription } from '../../../src/subscription/parse-subscription.ts';
import { refusal } from '../../refusal.ts';

function optionsOf(options: object) {
  const request = { topic: '#', endpoint: 'https://receiver.example/', options };
  const { order, orderingKey, onFailure } = parseSubscription(request, DEFAULT_LIMITS).options;
  return { order, orderingKey, onFailure };
}

describe('the options of order', () => {
  it.each([
    [{}, {}],
    [{ order: 'none', onFailure: 'block' }, {}],
    [{ order: 'topic' }, { order: 'topic' }],
    [{ order: 'topic', onFailure: 'block' }, { order: 'topic' }],
    [
      { order: 'key', on_failure: 'skip' },
      { order: 'key', onFailure: 'skip' },
    ],
    [{ ordering_key: 'metadata.tenant' }, { order: 'key', orderingKey: 'metadata.tenant' }],
    [
      { order: 'key', orderingKey: 'payload.customer.id', onFailure: 'park' },
      { order: 'key', orderingKey: 'payload.customer.id', onFailure: 'park' },
    ],
  ])('%j are kept as %j', (given, kept) => {
    expect(optionsOf(given)).toEqual({ order: undefined, orderingKey: undefined, onFailure: undefined, ...kept });
  });

  it.each([
    [{ order: 'priority' }, 'order'],
    [{ order: null }, 'order'],
    [{ orderingKey: 'customer' }, 'orderingKey'],
    [{ orderingKey: 'payload.' }, 'orderingKey'],
    [{ orderingKey: 'payload..a' }, 'orderingKey'],
    [{ orderingKey: `payload.${'a'.repeat(255)}` }, 'orderingKey'],
    [{ onFailure: 'retry' }, 'onFailure'],
  ])('%j is refused', (given, name) => {
    expect(refusal(() => optionsOf(given))).toBe(`invalid_subscription at /options/${name}`);
  });
});

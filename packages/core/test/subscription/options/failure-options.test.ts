import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/limits.ts';
import {
  breakerPolicyOf,
  DEFAULT_BREAKER,
  DISABLE_AFTER_MS_DEFAULT,
  disableAfterMsOf,
} from '../../../src/subscription/options/failure-options.ts';
import { parseSubscription } from '../../../src/subscription/parse-subscription.ts';
import type { SubscriptionDefinition } from '../../../src/subscription/subscription.ts';
import { refusal } from '../../refusal.ts';

const endpoint = 'https://a.example/';
const parse = (options: unknown) => parseSubscription({ topic: 'a', endpoint, options }, DEFAULT_LIMITS).options;

function defined(request: object): SubscriptionDefinition {
  return { id: 'x', state: 'active', createdAtMs: 0, updatedAtMs: 0, ...parseSubscription(request, DEFAULT_LIMITS) };
}

describe('options of failure', () => {
  it('are stored as they were given, with the defaults of what was left out', () => {
    expect(parse({ breaker: { failures: 5 }, disableAfterMs: 0, useDLQ: false })).toMatchObject({
      breaker: { ...DEFAULT_BREAKER, failures: 5 },
      disableAfterMs: 0,
      useDLQ: false,
    });
    expect(parse({ breaker: true }).breaker).toEqual(DEFAULT_BREAKER);
    expect(parse({ breaker: false }).breaker).toBe(false);
  });

  it('are not stored when nobody gave them: an older definition means the same', () => {
    for (const name of ['breaker', 'disableAfterMs', 'useDLQ']) expect(parse({})).not.toHaveProperty(name);
  });

  it('have other spellings, in both cases', () => {
    const given = {
      circuit_breaker: { failure_threshold: 2, window: 5, reset_timeout_ms: 7 },
      disable_after: 9,
      use_dlq: true,
    };
    expect(parse(given)).toMatchObject({
      breaker: { failures: 2, windowMs: 5, openMs: 7 },
      disableAfterMs: 9,
      useDLQ: true,
    });
  });

  it('mean the default of what has an endpoint, and nothing elsewhere', () => {
    const webhook = defined({ topic: 'a', endpoint });
    expect([breakerPolicyOf(webhook), disableAfterMsOf(webhook)]).toEqual([DEFAULT_BREAKER, DISABLE_AFTER_MS_DEFAULT]);
    const dialled = defined({ topic: 'a', endpoint: 'wss://a.example/' });
    expect([breakerPolicyOf(dialled), disableAfterMsOf(dialled)]).toEqual([DEFAULT_BREAKER, DISABLE_AFTER_MS_DEFAULT]);
    const fallback = defined({ topic: 'a', handler: () => {}, fallbackWebhook: endpoint });
    expect([breakerPolicyOf(fallback), disableAfterMsOf(fallback)]).toEqual([
      DEFAULT_BREAKER,
      DISABLE_AFTER_MS_DEFAULT,
    ]);
    const handler = defined({ topic: 'a', handler: () => {} });
    expect([breakerPolicyOf(handler), disableAfterMsOf(handler)]).toEqual([undefined, 0]);
    const off = defined({ topic: 'a', endpoint, options: { breaker: false, disableAfterMs: 0 } });
    expect([breakerPolicyOf(off), disableAfterMsOf(off)]).toEqual([undefined, 0]);
  });

  it.each([
    [{ breaker: 3 }, '/options/breaker'],
    [{ breaker: null }, '/options/breaker'],
    [{ breaker: { failures: 0 } }, '/options/breaker/failures'],
    [{ breaker: { openMs: 1.5 } }, '/options/breaker/openMs'],
    [{ breaker: { window_ms: '5' } }, '/options/breaker/window_ms'],
    [{ breaker: { colour: 1 } }, '/options/breaker/colour'],
    [{ disableAfterMs: -1 }, '/options/disableAfterMs'],
    [{ disableAfterMs: null }, '/options/disableAfterMs'],
    [{ useDLQ: 'no' }, '/options/useDLQ'],
    [{ useDlq: null }, '/options/useDlq'],
  ])('%j is refused with its place', (options, pointer) => {
    expect(refusal(() => parse(options))).toBe(`invalid_subscription at ${pointer}`);
  });
});

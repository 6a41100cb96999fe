import { describe, expect, it } from 'vitest';
import { changedRequest } from '../../src/subscription/changed-request.ts';
import type { SubscriptionDefinition } from '../../src/subscription/subscription.ts';

const definition = {
  topic: 'order.*',
  sink: {
    kind: 'webhook',
    endpoint: 'https://a.example/hook',
    secret: 'whsec_x',
    headers: { authorization: 'Bearer 1' },
  },
  options: {},
} as unknown as SubscriptionDefinition;

/** Whoever may change an address must not learn by it what the answers hide. */
describe('a change of the endpoint', () => {
  it.each(['https://b.example/hook', 'http://a.example/hook', 'https://a.example:8443/hook'])(
    'to another origin leaves the headers behind: %s',
    (endpoint) => {
      const request = changedRequest(definition, { endpoint });
      expect(request['headers']).toBeUndefined();
      expect(request['secret']).toBe('whsec_x');
      expect(changedRequest(definition, { endpoint, headers: { a: 'b' } })['headers']).toEqual({ a: 'b' });
    },
  );

  it('on the same origin keeps them', () => {
    const { headers } = changedRequest(definition, { endpoint: 'https://a.example/other' });
    expect(headers).toEqual({ authorization: 'Bearer 1' });
    expect(changedRequest(definition, { topic: '#' })['headers']).toEqual({ authorization: 'Bearer 1' });
  });
});

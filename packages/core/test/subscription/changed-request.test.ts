import { describe, expect, it } from 'vitest';
import { assertMayBecome, changedRequest } from '../../src/subscription/changed-request.ts';
import type { SubscriptionDefinition, SubscriptionRequest } from '../../src/subscription/subscription.ts';

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

describe('a change of the way out', () => {
  const webhook = { kind: 'webhook', endpoint: 'https://a.example/' };

  it.each([
    [{ kind: 'pull' }, webhook, 'pulled has no endpoint'],
    [{ kind: 'handler' }, webhook, 'handler stays so'],
    [{ kind: 'socket' }, webhook, 'sockets attach to'],
    [webhook, { kind: 'pull' }, 'keeps one'],
  ])('from %j to %j is refused in words that fit', (before, after, words) => {
    const change = () =>
      assertMayBecome({ sink: before } as SubscriptionDefinition, { sink: after } as SubscriptionRequest);
    expect(change).toThrow(
      expect.objectContaining({ code: 'invalid_subscription', details: { pointer: '/endpoint' } }),
    );
    expect(change).toThrow(words);
  });

  it('leaves the name alone', () => {
    const change = () => assertMayBecome({ ...definition, name: 'a' }, { ...definition, name: 'b' });
    expect(change).toThrow(expect.objectContaining({ details: { pointer: '/name' } }));
  });
});

import { expect, it } from 'vitest';
import { addressGuard } from '../../src/address/address-guard.ts';
import { checkEndpoint } from '../../src/address/check-endpoint.ts';
import { FORBIDDEN_ENDPOINTS, INVALID_ENDPOINTS } from './forbidden-endpoints.ts';

const guard = addressGuard();

function refusal(endpoint: string, by = guard): unknown {
  try {
    checkEndpoint(endpoint, by);
    return undefined;
  } catch (error) {
    return error;
  }
}

it('knows at least eighty ways inside', () => {
  expect(new Set(FORBIDDEN_ENDPOINTS).size).toBeGreaterThanOrEqual(80);
});

it.each(FORBIDDEN_ENDPOINTS)('refuses %s in the same words as every other', (endpoint) => {
  expect(refusal(endpoint)).toMatchObject({
    code: 'endpoint_blocked',
    message: 'The address of the endpoint may not be called.',
    details: { pointer: '/endpoint' },
  });
});

it.each(INVALID_ENDPOINTS)('refuses %j as no endpoint', (endpoint) => {
  expect(refusal(endpoint)).toMatchObject({ code: 'invalid_endpoint', details: { pointer: '/endpoint' } });
});

it.each([
  'http://example.com/hook',
  'https://hooks.example.com:8443/a/b?c=d',
  'https://xn--bcher-kva.example/',
  'http://8.8.8.8/',
  'http://[2606:4700::6810:84e5]/',
  'http://172.32.0.1/',
  'http://100.128.0.1/',
  'http://localhost.example.com/',
  `http://example.com/${'x'.repeat(481)}`,
])('accepts %s', (endpoint) => {
  expect(checkEndpoint(endpoint, guard).href).toBe(endpoint);
});

it('allows what the setting names and nothing beside it', () => {
  const open = addressGuard({ allow: ['loopback', '10.1.0.0/16', 'aas.internal', 'fd12::/16'] });
  for (const endpoint of [
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://localhost/',
    'http://10.1.2.3/',
    'http://AAS.internal./',
    'http://[fd12::1]/',
  ]) {
    expect(refusal(endpoint, open)).toBeUndefined();
  }
  for (const endpoint of ['http://10.2.0.1/', 'http://169.254.169.254/', 'http://[fd13::1]/', 'http://metadata/']) {
    expect(refusal(endpoint, open)).toMatchObject({ code: 'endpoint_blocked' });
  }
});

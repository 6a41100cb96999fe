import { tmpdir } from 'node:os';
import { addressGuard, checkEndpoint } from '@event-manager/webhook';
import { expect, it } from 'vitest';
import { readConfiguration } from '../../src/index.ts';

const hostsOf = (environment: Record<string, string>) =>
  readConfiguration({ args: [], environment, homeDirectory: tmpdir() }).assistanceHosts;

it('are those of every setting that says where the assistance service is', () => {
  expect(hostsOf({})).toEqual([]);
  expect(
    hostsOf({
      AAS_WEBHOOK_URL: 'https://aas-service:3005/events/webhook',
      AAS_WEBSOCKET_URL: 'ws://aas-live:3005/events/realtime',
      AAS_SERVICE_URL: 'http://aas-service:3005',
      AAS_WEBHOOK_ENDPOINT: '/events/webhook',
    }),
  ).toEqual(['aas-service', 'aas-live']);
});

it('are read from addresses, too, and not from what is no URL', () => {
  expect(hostsOf({ AAS_SERVICE_URL: 'http://[fd00::5]:3005' })).toEqual(['fd00::5']);
  expect(hostsOf({ AAS_SERVICE_URL: 'http://10.0.0.5:3005' })).toEqual(['10.0.0.5']);
  expect(hostsOf({ AAS_SERVICE_URL: 'aas-service:3005', AAS_WEBHOOK_URL: '/events' })).toEqual([]);
});

it.each(['http://localhost:3005/x', 'http://10.0.0.5:3005/x', 'http://[fd00::5]:3005/x', 'http://metadata:3005/x'])(
  'pass the guard: %s',
  (url) => {
    const without = addressGuard();
    expect(() => checkEndpoint(url, without)).toThrow(expect.objectContaining({ code: 'endpoint_blocked' }));
    const guard = addressGuard({ allow: hostsOf({ AAS_WEBHOOK_URL: url }) });
    expect(checkEndpoint(url, guard).href).toBe(url);
    expect(() => checkEndpoint('http://10.0.0.6/', guard)).toThrow(
      expect.objectContaining({ code: 'endpoint_blocked' }),
    );
  },
);

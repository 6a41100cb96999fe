import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { Life } from '../../../src/life.ts';
import { refusalOf } from '../../../src/protocols/ws/refuse-upgrade.ts';
import { configure } from '../../configure.ts';

function refusal(headers: Record<string, string>, life: Life, connections = 0) {
  const request = { headers } as unknown as IncomingMessage;
  return refusalOf(request, { configuration: configure({ wsConnectionsMax: 5 }), life, connections })?.code;
}

it('lets nobody in before the service serves, nor while it stops', () => {
  const life = new Life();
  const host = 'localhost:3004';
  expect(refusal({ host }, life)).toBe('not_ready');
  life.enter('serving');
  expect(refusal({ host }, life)).toBeUndefined();
  life.enter('draining');
  expect(refusal({ host }, life)).toBe('not_ready');
});

it('judges who asks before it says how busy it is', () => {
  const life = new Life();
  life.enter('serving');
  expect(refusal({}, life)).toBe('invalid_request');
  expect(refusal({ host: 'evil.test' }, life, 5)).toBe('invalid_request');
  expect(refusal({ host: 'localhost', origin: 'http://evil.test' }, life, 5)).toBe('invalid_request');
  expect(refusal({ host: 'localhost' }, life, 5)).toBe('overloaded');
  expect(refusal({ host: 'localhost' }, life, 4)).toBeUndefined();
});

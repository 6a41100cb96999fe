import { asksForForeignHost, isForeignHost } from '@event-manager/core';
import { expect, it } from 'vitest';

it('takes no name for this machine but localhost', () => {
  const own = ['localhost', 'LOCALHOST', '127.0.0.1', '[::1]', '192.168.1.2'];
  const foreign = ['evil.example', 'localhost.', 'localhost.evil.example', '127.0.0.1.evil.example', ''];
  expect(own.filter(isForeignHost)).toEqual([]);
  expect(foreign.filter((host) => !isForeignHost(host))).toEqual([]);
});

it('judges requests to what only this machine can reach, and leaves other networks their names', () => {
  expect(asksForForeignHost('evil.example:8080', '127.0.0.1')).toBe(true);
  expect(asksForForeignHost('evil.example', '::1')).toBe(true);
  expect(asksForForeignHost('localhost:8080', '127.0.0.1')).toBe(false);
  expect(asksForForeignHost(undefined, '127.0.0.1')).toBe(false);
  expect(asksForForeignHost('pod-7.cluster', '0.0.0.0')).toBe(false);
});

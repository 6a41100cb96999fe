import { isEventManagerError } from '@event-manager/core';
import { describe, expect, it } from 'vitest';
import { readUrl } from '../../src/connect/read-url.ts';

describe('the url of a Redis', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379, tls: false, database: 0 }],
    ['rediss://[::1]:7000/3', { host: '::1', port: 7000, tls: true, database: 3 }],
    ['redis://:p%40ss@10.0.0.1:1/', { host: '10.0.0.1', port: 1, password: 'p@ss', database: 0 }],
    ['redis://user:p@host.example:6380/15', { username: 'user', password: 'p', database: 15 }],
  ])('%s is understood', (url, address) => {
    expect(readUrl(url)).toMatchObject(address);
  });

  it.each([
    '',
    'localhost:6379',
    'http://:secret@host',
    'redis://',
    'redis://:secret@host:99999',
    'redis://:secret@host/zero',
    'redis://:secret@host/0?tls=true',
    'redis://:secret%@host',
  ])('%j is refused without being repeated', (url) => {
    let refused: unknown;
    try {
      readUrl(url);
    } catch (error) {
      refused = error;
    }
    expect(isEventManagerError(refused, 'invalid_setting')).toBe(true);
    expect(JSON.stringify([String(refused), refused])).not.toContain('secret');
  });
});

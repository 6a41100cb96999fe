import { ajvSchemas } from '@event-manager/schema';
import { describe, expect, it } from 'vitest';
import { quickestMs } from './quickest-ms.ts';

const schemas = ajvSchemas();
const FORMATS: readonly [format: string, fits: string, fitsNot: string][] = [
  ['date', '2026-02-28', '2026-02-30'],
  ['time', '10:00:00Z', '10:00'],
  ['date-time', '2026-11-20T10:00:00.5+01:00', '2026-11-20'],
  ['duration', 'P1DT2H', '1 day'],
  ['email', 'a.b@example.com', 'a@'],
  ['hostname', 'example.com', '-example.com'],
  ['ipv4', '127.0.0.1', '256.0.0.1'],
  ['ipv6', '2001:db8::1', '2001:db8:::1'],
  ['uri', 'https://example.com/a?b#c', 'example'],
  ['uri-reference', '/a/b?c', 'a b'],
  ['uuid', '0198c0de-0000-7000-8000-00000000000a', '0198c0de'],
  ['json-pointer', '/a/~0b', 'a'],
  ['relative-json-pointer', '1/a', '/a'],
];
/** What each of them starts well with, as long as it may be, and cannot go on. */
const HOPELESS = [
  '1',
  'a',
  'a.',
  'a-',
  '-',
  '0:',
  ':',
  '::',
  '/',
  '~0',
  '%41',
  'P1D',
  '1.',
  'a@a.',
  '[',
  '::1:',
  '25',
  '.',
];

describe('a format', () => {
  it.each(FORMATS)('%s is checked', (format, fits, fitsNot) => {
    const { check } = schemas.compile({ properties: { value: { format } } });
    expect(check({ value: fits })).toBeUndefined();
    expect(check({ value: fitsNot })).toMatchObject({ pointer: '/value' });
    expect(check({ value: 7 })).toBeUndefined();
  });

  it.each(FORMATS)('%s is quick on whatever text, and has no text of megabytes', (format, fits) => {
    const { check } = schemas.compile({ format });
    for (const beginning of ['', fits, 'http://', 'a:', 'a@', '/']) {
      for (const part of HOPELESS) {
        const text = (beginning + part.repeat(2_048)).slice(0, 2_046);
        const look = () => {
          check(`${text}\n!`);
          check(text);
        };
        expect(quickestMs(look), `${beginning}${part}…`).toBeLessThan(20);
      }
    }
    expect(check(fits + 'a'.repeat(1_000_000))).toBeDefined();
  });
});

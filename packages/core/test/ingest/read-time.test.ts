import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readTimeMs, timeText } from '../../src/ingest/read-time.ts';

it('reads back every moment it writes, in the years that RFC 3339 has', () => {
  const moment = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moment, (date) => {
      expect(readTimeMs(timeText(date.getTime()), '')).toBe(date.getTime());
      expect(readTimeMs(date, '')).toBe(date.getTime());
      expect(readTimeMs(date.getTime(), '')).toBe(date.getTime());
    }),
  );
});

it.each([
  ['2026-11-20T08:00:00Z', '2026-11-20T08:00:00.000Z'],
  ['2026-11-20t08:00:00z', '2026-11-20T08:00:00.000Z'],
  ['2026-11-20 08:00:00+05:30', '2026-11-20T02:30:00.000Z'],
  ['2026-11-20T23:30:00-01:00', '2026-11-21T00:30:00.000Z'],
  ['2026-11-20T08:00:00.123456789Z', '2026-11-20T08:00:00.123Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
])('reads %s as %s', (text, expected) => {
  expect(timeText(readTimeMs(text, ''))).toBe(expected);
});

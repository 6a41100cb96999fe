import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/query/cursor.ts';
import { refusal } from '../refusal.ts';

const place = fc.record({ partition: fc.nat(), position: fc.maxSafeNat() });

describe('cursor', () => {
  it('comes back as it was, whatever the places, in characters that need no escaping in a URL', () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 20 }), (places) => {
        const text = encodeCursor(places);
        expect(text).toMatch(/^[\w-]+$/);
        expect(decodeCursor(text)).toEqual(places);
      }),
    );
  });

  it('never changes its text: cursors are kept by clients over years', () => {
    expect(encodeCursor([{ partition: 0, position: 300 }])).toBe('AQCsAtZhii4');
  });

  it('finds every cut and every changed character', () => {
    const text = encodeCursor([{ partition: 0, position: 123_456_789 }]);
    for (let at = 0; at < text.length; at++) {
      const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
      expect(refusal(() => decodeCursor(changed, '/after'))).toBe('invalid_cursor at /after');
      expect(refusal(() => decodeCursor(text.slice(0, at), '/after'))).toBe('invalid_cursor at /after');
    }
  });

  it.each(['', 'AA', '?', 'AQ==', ' AQCsAg', 'x'.repeat(10_000), 'é', 'AgAAAAAA'])('refuses %j', (text) => {
    expect(refusal(() => decodeCursor(text))).toBe('invalid_cursor at undefined');
  });

  it('refuses any text it did not make without any other error', () => {
    fc.assert(
      fc.property(fc.base64String(), (text) => {
        expect(refusal(() => decodeCursor(text))).toMatch(/^invalid_cursor/);
      }),
    );
  });

  it('treats a place that is no whole number as a mistake of the program', () => {
    expect(() => encodeCursor([{ partition: 0, position: -1 }])).toThrow(TypeError);
  });
});

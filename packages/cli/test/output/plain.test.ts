import { expect, it } from 'vitest';
import { plain } from '../../src/output/plain.ts';

it('shows what would move the cursor, colour, or turn the direction of what is read', () => {
  expect(plain('\u001b[2J\u0007\u009b31m')).toBe('\\u001b[2J\\u0007\\u009b31m');
  expect(plain('invoice\u202efdp.exe \u2066x\u2028y')).toBe('invoice\\u202efdp.exe \\u2066x\\u2028y');
});

it('leaves words of every language as they are, and the value of JSON', () => {
  expect(plain('naïve שלום 東京 👩‍👩‍👧')).toBe('naïve שלום 東京 👩‍👩‍👧');
  const value = { 'a\u202e': '\u009b31m\u2028\n' };
  expect(JSON.parse(plain(JSON.stringify(value)))).toEqual(value);
});

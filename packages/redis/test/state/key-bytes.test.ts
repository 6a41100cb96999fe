import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { behindPrefix, keyBytes, keyOf } from '../../src/state/key-bytes.ts';

/** Every JavaScript string, halves of surrogate pairs included. */
const keys = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.constant(0x61)))
  .map((units) => String.fromCharCode(...units));

it('gives every key one form that can be read back, in the order of code units', () => {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      expect(keyOf(keyBytes(a))).toBe(a);
      expect(Math.sign(Buffer.compare(keyBytes(a), keyBytes(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
  expect(keyBytes('subscription/ü').toString()).toBe('subscription/ü');
});

it('knows where the keys of a prefix end', () => {
  fc.assert(
    fc.property(keys, keys, (prefix, key) => {
      const end = behindPrefix(keyBytes(prefix));
      const [from, bytes] = [keyBytes(prefix), keyBytes(key)];
      const isWithin = Buffer.compare(bytes, from) >= 0 && (end === undefined || Buffer.compare(bytes, end) < 0);
      expect(isWithin).toBe(key.startsWith(prefix));
      expect(end === undefined || Buffer.compare(keyBytes(`${prefix}${key}`), end) < 0).toBe(true);
    }),
  );
});

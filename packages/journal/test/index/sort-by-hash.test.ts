import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sortByHash } from '../../src/index/sort-by-hash.ts';

it('sorts by hash, then by ordinal, and leaves out what is absent', () => {
  const hash = fc.oneof(
    fc.constantFrom(0, 1, 65_535, 65_536, 4_294_967_295),
    fc.integer({ min: 0, max: 4_294_967_295 }),
  );
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 300 }), fc.boolean(), (hashes, skipAbsent) => {
      const sorting = sortByHash(Uint32Array.from(hashes), hashes.length, skipAbsent);
      let step = sorting.next();
      while (step.done !== true) step = sorting.next();
      const expected = hashes
        .map((value, ordinal) => ({ value, ordinal }))
        .filter(({ value }) => !skipAbsent || value !== 0)
        .sort((a, b) => a.value - b.value || a.ordinal - b.ordinal);
      expect([...step.value.hashes]).toEqual(expected.map(({ value }) => value));
      expect([...step.value.ordinals]).toEqual(expected.map(({ ordinal }) => ordinal));
    }),
  );
});

it('loses nothing between two pauses', () => {
  const hashes = Uint32Array.from(
    { length: 20_000 },
    (_, index) => Math.imul(index, 0x9e3779b1) >>> (index % 3 === 0 ? 20 : 0),
  );
  const sorting = sortByHash(hashes, hashes.length, false);
  let step = sorting.next();
  while (step.done !== true) step = sorting.next();
  const expected = Array.from(hashes.keys()).sort((a, b) => hashes[a]! - hashes[b]! || a - b);
  expect([...step.value.ordinals]).toEqual(expected);
  expect([...step.value.hashes]).toEqual(expected.map((ordinal) => hashes[ordinal]!));
});

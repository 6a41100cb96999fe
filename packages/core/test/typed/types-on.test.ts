import { DEFAULT_LIMITS, matchesPattern, parsePattern, parseTopic } from '@event-manager/core';
import { expect, expectTypeOf, it } from 'vitest';
import type { TypesOn } from '../../src/typed/types-on.ts';

type Types = 'a' | 'a.b' | 'a/c' | 'a.b.c' | 'b.c' | 'x.y.z';

/** What each pattern matches, once for the compiler and once for the bus. */
type Table = {
  a: 'a';
  'a.b': 'a.b';
  'a/b': 'a.b';
  'a.c': 'a/c';
  'a.+': 'a.b' | 'a/c';
  'a.*': 'a.b' | 'a/c' | 'a.b.c';
  'a.#': 'a' | 'a.b' | 'a/c' | 'a.b.c';
  '+': 'a';
  '+.c': 'a/c' | 'b.c';
  '*.c': 'a/c' | 'a.b.c' | 'b.c';
  '#.c': 'a/c' | 'a.b.c' | 'b.c';
  '+/+/+': 'a.b.c' | 'x.y.z';
  'a.*.c': 'a.b.c';
  'a.#.c': 'a/c' | 'a.b.c';
  '#.b.#': 'a.b' | 'a.b.c' | 'b.c';
  '*': Types;
  '#': Types;
};

const TABLE: { readonly [Pattern in keyof Table]: readonly Table[Pattern][] } = {
  a: ['a'],
  'a.b': ['a.b'],
  'a/b': ['a.b'],
  'a.c': ['a/c'],
  'a.+': ['a.b', 'a/c'],
  'a.*': ['a.b', 'a/c', 'a.b.c'],
  'a.#': ['a', 'a.b', 'a/c', 'a.b.c'],
  '+': ['a'],
  '+.c': ['a/c', 'b.c'],
  '*.c': ['a/c', 'a.b.c', 'b.c'],
  '#.c': ['a/c', 'a.b.c', 'b.c'],
  '+/+/+': ['a.b.c', 'x.y.z'],
  'a.*.c': ['a.b.c'],
  'a.#.c': ['a/c', 'a.b.c'],
  '#.b.#': ['a.b', 'a.b.c', 'b.c'],
  '*': ['a', 'a.b', 'a/c', 'a.b.c', 'b.c', 'x.y.z'],
  '#': ['a', 'a.b', 'a/c', 'a.b.c', 'b.c', 'x.y.z'],
};
const TYPES: readonly Types[] = TABLE['#'];

it.each(Object.entries(TABLE))('the compiler and the bus agree on what %s matches', (pattern, types) => {
  const parsed = parsePattern(pattern, DEFAULT_LIMITS);
  const matched = TYPES.filter((type) => matchesPattern(parsed, parseTopic(type, DEFAULT_LIMITS)));
  expect(matched).toEqual(types);
});

it('in types', () => {
  expectTypeOf<{ [Pattern in keyof Table]: TypesOn<Types, Pattern> }>().toEqualTypeOf<Table>();
  expectTypeOf<TypesOn<Types, 'nothing.of.this'>>().toEqualTypeOf<Types>();
  expectTypeOf<TypesOn<Types, string>>().toEqualTypeOf<Types>();
});

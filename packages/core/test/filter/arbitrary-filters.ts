import fc from 'fast-check';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { normalize } from '../../src/ingest/normalize.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS } from '../../src/principal.ts';
import type { Ids } from './reference-filter.ts';

const WRITING = { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 };

// Few values, so that filters and events meet.
const level = fc.constantFrom('a', 'b', 'system', 'log', 'heartbeat', 'İx');
const word = fc.constantFrom(
  'a',
  'ab',
  'ba',
  'AB',
  'straße',
  'STRASSE',
  'İ',
  'i̇',
  '\u212a',
  'k',
  '10.1.2.3',
  '::1',
  'a.b',
);
const id = fc.constantFrom('u1', 'u2', 'p1', 'p2');
const topicText = fc
  .array(level, { minLength: 1, maxLength: 3 })
  .chain((levels) => fc.constantFrom('.', '/').map((separator) => levels.join(separator)));
const number = fc.constantFrom(-1, 0, 0.5, 1, 2, 10);
const scalar = fc.oneof(word, number, fc.boolean(), fc.constant(null));
const value = fc.oneof(
  { weight: 5, arbitrary: scalar },
  fc.array(scalar, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('a', 'b'), scalar, { maxKeys: 2 }),
);

/** As it is published. */
export const eventIn = fc.record(
  {
    type: topicText,
    source: word,
    topic: topicText,
    priority: fc.nat(3),
    metadata: fc.record(
      {
        userId: id,
        projectId: id,
        sessionId: id,
        tags: fc.array(word, { maxLength: 3 }),
        x: value,
      },
      { requiredKeys: [] },
    ),
    payload: fc.dictionary(fc.constantFrom('a', 'b', 'a.b'), value),
  },
  { requiredKeys: ['type', 'source'] },
);

/** As it is stored. */
export const event = eventIn.map((input) => decodeEvent(normalize(input, WRITING).body));

const several = <T>(one: fc.Arbitrary<T>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }));
const pattern = fc.oneof(topicText, fc.constantFrom('#', '*', 'a.*', '*.b', 'a.#.b', '+', 'system.+'));
const wildcard = fc
  .array(fc.constantFrom('a', 'b', '*', '.', '1'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));
const ranged = fc.tuple(number, number).map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
const numeric = fc.oneof(
  fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>='), number),
  ranged.map(([low, high]) => ['>=', low, '<=', high]),
  ranged.filter(([low, high]) => low < high).map(([low, high]) => ['>', low, '<', high]),
);
const cidr = fc.constantFrom('10.0.0.0/8', '10.1.2.3/32', '0.0.0.0/0', '::/0', '::1/128', '2001:db8::/32');
const text = {
  prefix: several(word),
  suffix: several(word),
  equalsIgnoreCase: several(word),
  wildcard: several(wildcard),
};
const some = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(fields, { requiredKeys: [] }).filter((operators) => Object.keys(operators).length > 0);
const denying = (plain: fc.Arbitrary<unknown>, fields: Record<string, fc.Arbitrary<unknown>>) =>
  some({ ...fields, anythingBut: several(fc.oneof(plain, some(fields))) });
const deniable = { ...text, numeric, cidr: several(cidr) };
const choice = fc.oneof(
  value,
  denying(scalar, deniable),
  some({ prefix: several(word) }),
  some({ numeric }),
  some({ cidr: several(cidr) }),
  fc.record({ exists: fc.boolean() }),
  fc.record({ equals: value }),
);
const wanted = fc.oneof(
  choice.filter((one) => !Array.isArray(one) || one.length > 0),
  fc.array(choice, { minLength: 1, maxLength: 3 }),
);
const values = (keys: string[]) => fc.dictionary(fc.constantFrom(...keys), wanted, { maxKeys: 2 });
const listOf = (one: fc.Arbitrary<unknown>, minLength: number) => fc.array(one, { minLength, maxLength: 3 });
const typeLike = fc.oneof(pattern, denying(pattern, text));
const sourceLike = fc.oneof(word, denying(word, text));
const clauses = {
  types: listOf(typeLike, 1),
  includeTypes: listOf(typeLike, 1),
  excludeTypes: listOf(typeLike, 0),
  topics: listOf(typeLike, 1),
  sources: listOf(sourceLike, 1),
  tags: listOf(sourceLike, 0),
  priority: fc.oneof(fc.nat(3), fc.uniqueArray(fc.nat(3), { minLength: 1 })),
  metadata: values(['userId', 'x', 'x.a', 'x.0', 'retryCount', 'expiresAt']),
  payload: values(['a', 'b', 'a.b', 'a.a', 'a.0', 'length']),
  userRelevant: fc.boolean(),
  projectScoped: fc.boolean(),
  sessionScoped: fc.boolean(),
  excludeSystemEvents: fc.boolean(),
  excludeSystemHeartbeat: fc.boolean(),
};
/** One to three clauses: with more hardly anything would pass. */
const fewOf = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc
    .uniqueArray(fc.constantFrom(...Object.keys(fields)), { minLength: 1, maxLength: 3 })
    .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, fields[name]!]))));
const inner = fewOf(clauses);
const alternative = fewOf({ ...clauses, or: listOf(inner, 1) });
export const filter = fewOf({ ...clauses, or: listOf(alternative, 1), criticalAlways: fc.boolean() });

export const context: fc.Arbitrary<Ids | undefined> = fc.option(
  fc.record({ userIds: fc.array(id), projectIds: fc.array(id), sessionIds: fc.array(id) }),
  { nil: undefined },
);

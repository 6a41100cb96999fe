import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { compileFilter, type Filter, parseFilter } from '../../src/filter/filter.ts';
import { normalize } from '../../src/ingest/normalize.ts';
import type { JsonValue } from '../../src/json.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS } from '../../src/principal.ts';

const CONTEXT = { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 };

function event(input: object = {}) {
  const defaults = {
    type: 'order.item.added',
    source: 'shop',
    priority: 'HIGH',
    metadata: { tags: ['a', 'b'], userId: 'u', region: 'eu', 'dotted.key': 1, expiresAt: 0 },
    payload: { total: 10, customer: { id: 7, groups: ['x'] }, lines: [1, 2], none: null },
  };
  return decodeEvent(normalize({ ...defaults, ...input }, CONTEXT).body);
}
const matches = (filter: unknown, input?: object) =>
  compileFilter(parseFilter(filter, DEFAULT_LIMITS, ''))(event(input));

describe('compileFilter', () => {
  it.each<object>([
    {},
    { types: ['order.*'] },
    { types: ['user.*', 'order/item/added'] },
    { sources: ['other', 'shop'] },
    { priority: 'NORMAL' },
    { priority: 'HIGH' },
    { priority: ['HIGH', 'LOW'] },
    { tags: ['b', 'a'] },
    { tags: [] },
    { excludeTypes: [] },
    { includeTypes: ['#'], excludeTypes: ['user.*'] },
    { metadata: { userId: 'u', region: ['us', 'eu'] } },
    { metadata: { 'dotted.key': 1 } },
    { metadata: { expiresAt: new Date(0) } },
    { payload: { total: 10.0, 'customer.id': 7 } },
    { payload: { customer: { groups: ['x'], id: 7 } } },
    { payload: { lines: [[1, 2]] } },
    { payload: { 'lines.1': 2 } },
    { payload: { none: null } },
  ])('lets through what filter %j asks for', (filter) => {
    expect(matches(filter)).toBe(true);
  });

  it.each<object>([
    { types: ['order'] },
    { types: ['order.+'] },
    { sources: ['sho'] },
    { priority: 'CRITICAL' },
    { priority: ['CRITICAL', 'NORMAL'] },
    { tags: ['a', 'c'] },
    { excludeTypes: ['*.added'] },
    { types: ['order.*'], includeTypes: ['user.*'] },
    { metadata: { userId: 'v' } },
    { metadata: { region: ['us'] } },
    { metadata: { constructor: 'x' } },
    { payload: { total: '10' } },
    { payload: { lines: [1, 2] } },
    { payload: { 'customer.name': 'x' } },
    { payload: { 'lines.length': 2 } },
    { payload: { absent: null } },
    { payload: { 'none.deeper': 1 } },
  ])('keeps out what filter %j does not ask for', (filter) => {
    expect(matches(filter)).toBe(false);
  });

  it('ANDs its fields: a filter matches when each field alone does', () => {
    const field = fc.constantFrom(
      { types: ['order.*'] },
      { types: ['user.*'] },
      { sources: ['shop'] },
      { sources: ['x'] },
      { priority: 0 },
      { priority: 3 },
      { tags: ['a'] },
      { excludeTypes: ['order.*'] },
      { payload: { total: 10 } },
      { payload: { total: 11 } },
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 4 }), (fields) => {
        const filter = Object.assign({}, ...fields) as Record<string, unknown>;
        const each = Object.entries(filter).every(([name, value]) => matches({ [name]: value }));
        expect(matches(filter)).toBe(each);
      }),
    );
  });
});

/** Definitions that were stored before there were operators go on to mean what they meant, and never keep a bus from starting. */
describe('a filter of an older version', () => {
  const stored: Filter[] = [
    { types: ['order.*'], priority: 1, excludeTypes: ['system.heartbeat'] },
    { payload: { total: 10, customer: { id: 7, groups: ['x'] }, lines: [[1, 2]] }, metadata: { userId: ['u', 'v'] } },
    { tags: ['a'], sources: ['shop'], includeTypes: ['#'] },
  ];

  it.each(stored)('is read as it is: %j', (filter) => {
    expect(compileFilter(filter)(event())).toBe(true);
    expect(parseFilter(filter, DEFAULT_LIMITS, '')).toEqual(filter);
  });

  it.each<JsonValue>([
    { prefix: 1, suffix: 'b' },
    { numeric: 'all', exists: 'no' },
    { cidr: 'street', exists: 'yes' },
    { numeric: ['>', 1, '<'], cidr: '10.0.0.0/8' },
  ])('with %j for a value compares with that value', (value) => {
    const matches = compileFilter({ payload: { a: value } });
    expect(matches(event({ payload: { a: value } }))).toBe(true);
    expect(matches(event({ payload: { a: 'b' } }))).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { FILTER_FIELDS } from '../../src/filter/aliases.ts';
import { parseFilter, readFilter } from '../../src/filter/filter.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { refusal } from '../refusal.ts';

const parse = (input: unknown) => parseFilter(input, DEFAULT_LIMITS, '/filter');

describe('parseFilter', () => {
  it('reads both cases and every spelling to one stored form', () => {
    const expected = { types: ['a.*'], priority: 1, excludeTypes: ['system.heartbeat'] };
    expect(parse({ types: ['a.*'], priority: 'HIGH', excludeTypes: ['system.heartbeat'] })).toEqual(expected);
    expect(parse({ event_types: ['a.*'], minimum_priority: 1, exclude_types: ['system.heartbeat'] })).toEqual(expected);
  });

  it.each([
    [{ types: Array.from({ length: 1_001 }, (_, at) => `t${at}`) }, /too large: it holds more than 1000 values/],
    [{ payload: { a: 'x'.repeat(70_000) } }, /too large: it has 700\d\d characters of JSON, and at most 65536/],
    [
      { or: Array.from({ length: 101 }, () => ({ payload: { a: [{ wildcard: 'a*b' }] } })) },
      /too large: .* 100 wildcards/,
    ],
    [{ or: Array.from({ length: 31 }, (_, a) => ({ payload: { a: { equals: { a } } } })) }, /too large: .* 30 objects/],
  ])('says of one that is too large that it is', (input, words) => {
    expect(() => parse(input)).toThrow(words);
  });

  it('tells a minimum from a set of priorities', () => {
    expect(parse({ priority: ['low', 'CRITICAL', 0] })).toEqual({ priority: [0, 3] });
    expect(parse({ priority: 0 })).toEqual({ priority: 0 });
  });

  it('keeps values by themselves: the caller may change its object afterwards', () => {
    const input = { payload: { a: { b: [1] }, when: new Date(0) }, metadata: { 'user.id': ['x', 'y'] } };
    const filter = parse(input);
    input.payload.a.b.push(2);
    expect(filter).toEqual({
      payload: { a: { b: [1] }, when: '1970-01-01T00:00:00.000Z' },
      metadata: { 'user.id': ['x', 'y'] },
    });
    expect(parse(filter)).toEqual(filter);
  });

  it.each([
    [null, ''],
    [[], ''],
    ['#', ''],
    [{ colour: 1 }, '/colour'],
    [{ types: 'a' }, '/types'],
    [{ types: [] }, '/types'],
    [{ types: [1] }, '/types/0'],
    [{ sources: [] }, '/sources'],
    [{ sources: ['s', ''] }, '/sources/1'],
    [{ sources: ['x'.repeat(256)] }, '/sources/0'],
    [{ tags: { a: 1 } }, '/tags'],
    [{ tags: ['a\0'] }, '/tags/0'],
    [{ priority: 'URGENT' }, '/priority'],
    [{ priority: [] }, '/priority'],
    [{ priority: [0, 9] }, '/priority/1'],
    [{ priority: null }, '/priority'],
    [{ priority: 1, minimumPriority: 1 }, '/minimumPriority'],
    [{ metadata: [] }, '/metadata'],
    [{ metadata: 'a' }, '/metadata'],
    [{ metadata: { a: [] } }, '/metadata/a'],
    [{ payload: { a: () => 1 } }, '/payload/a'],
    [{ payload: { a: Number.NaN } }, '/payload/a'],
    [{ payload: JSON.parse('{"__proto__":1}') }, '/payload/__proto__'],
    [{ tags: Array(1_001).fill('t') }, '/tags'],
    [{ payload: { a: Array(1_001).fill(1) } }, '/payload'],
  ])('refuses filter %# and says where', (input, pointer) => {
    expect(refusal(() => parse(input))).toBe(`invalid_filter at /filter${pointer}`);
  });

  it('refuses a pattern that cannot be read, in every place where one stands', () => {
    expect(refusal(() => parse({ include_types: ['a', 'b*'] }))).toBe('invalid_pattern at /filter/include_types/1');
    expect(refusal(() => parse({ topics: ['a', '.'] }))).toBe('invalid_pattern at /filter/topics/1');
    const denied = { types: [{ anythingBut: ['a', 'b*'] }] };
    expect(refusal(() => parse(denied))).toBe('invalid_pattern at /filter/types/0/anythingBut/1');
  });

  it.each([
    [{ prefix: 'a' }, { prefix: 'a' }],
    [{ suffix: ['a'] }, { suffix: 'a' }],
    [{ 'equals-ignore-case': 'A' }, { equalsIgnoreCase: 'A' }],
    [{ equals_ignore_case: ['A', 'b'] }, { equalsIgnoreCase: ['A', 'b'] }],
    [
      { wildcard: 'a*', prefix: 'a' },
      { prefix: 'a', wildcard: 'a*' },
    ],
    [{ 'anything-but': ['x', 1, null] }, { anythingBut: ['x', 1, null] }],
    [{ anything_but: { prefix: ['a', 'b'] } }, { anythingBut: { prefix: ['a', 'b'] } }],
    [{ anythingBut: [{ cidr: '10.0.0.0/8' }, 'x'] }, { anythingBut: [{ cidr: '10.0.0.0/8' }, 'x'] }],
    [{ numeric: ['>', 0, '<=', 5] }, { numeric: ['>', 0, '<=', 5] }],
    [{ exists: false }, { exists: false }],
    [
      ['x', { exists: false }],
      ['x', { exists: false }],
    ],
    [{ equals: 'x' }, 'x'],
    [{ equals: { a: 1 } }, { a: 1 }],
    [{ equals: [1, 2] }, [[1, 2]]],
    [{ equals: { prefix: 'a' } }, { equals: { prefix: 'a' } }],
    [{ equals: [{ prefix: 'a' }] }, { equals: [{ prefix: 'a' }] }],
    [{}, {}],
  ])('keeps the operator %j as %j', (given, kept) => {
    expect(parse({ payload: { 'a.b': given } })).toEqual({ payload: { 'a.b': kept } });
    expect(parse({ metadata: { a: given } })).toEqual({ metadata: { a: kept } });
  });

  it.each([
    [{ prefix: 1 }, '/prefix'],
    [{ prefix: '' }, '/prefix'],
    [{ suffix: [] }, '/suffix'],
    [{ suffix: ['a', 'b\0'] }, '/suffix/1'],
    [{ wildcard: 'x'.repeat(256) }, '/wildcard'],
    [{ prefix: 'a', sufix: 'b' }, '/sufix'],
    [{ anythingBut: 'a', 'anything-but': 'b' }, '/anything-but'],
    [{ anythingBut: [] }, '/anythingBut'],
    [{ anythingBut: { exists: true } }, '/anythingBut/exists'],
    [{ anythingBut: { anythingBut: 'a' } }, '/anythingBut/anythingBut'],
    [{ anythingBut: {} }, '/anythingBut'],
    [{ anythingBut: [['a']] }, '/anythingBut/0/0'],
    [{ numeric: ['>'] }, '/numeric'],
    [{ numeric: ['!', 1] }, '/numeric/0'],
    [{ numeric: ['>', '1'] }, '/numeric/1'],
    [{ numeric: ['=', 1, '<', 2] }, '/numeric/0'],
    [{ numeric: ['>', 1, '>', 2] }, '/numeric/2'],
    [{ numeric: ['>', 1, '<', null] }, '/numeric/3'],
    [{ numeric: ['>', 1, '<', 1] }, '/numeric/3'],
    [{ numeric: ['>=', 2, '<=', 1] }, '/numeric/3'],
    [{ exists: 'yes' }, '/exists'],
    [{ exists: false, prefix: 'a' }, '/exists'],
    [{ equals: 1, prefix: 'a' }, '/equals'],
    [{ cidr: '10.0.0.0' }, '/cidr'],
    [{ cidr: '10.0.0.0/33' }, '/cidr'],
    [{ cidr: '10.0.0/8' }, '/cidr'],
    [{ cidr: '10.0.0.0/08' }, '/cidr'],
    [{ cidr: 'fe80::1%eth0/64' }, '/cidr'],
    [{ cidr: '::ffff:10.0.0.0/104' }, '/cidr'],
    [{ cidr: ['::/0', 'x'] }, '/cidr/1'],
    [{ street: { prefix: 'a' } }, '/street'],
    [[['a', { exists: true }]], '/0/1'],
  ])('refuses the operator %j and says where', (given, pointer) => {
    expect(refusal(() => parse({ payload: { a: given } }))).toBe(`invalid_filter at /filter/payload/a${pointer}`);
  });

  it.each([
    [{ types: [{ prefix: 'a.' }] }, { types: [{ prefix: 'a.' }] }],
    [{ sources: ['s', { 'anything-but': ['a'] }] }, { sources: ['s', { anythingBut: 'a' }] }],
    [{ tags: [{ equals_ignore_case: 'VIP' }] }, { tags: [{ equalsIgnoreCase: 'VIP' }] }],
    [{ topic: ['a.*', { suffix: '/b' }] }, { topics: ['a.*', { suffix: '/b' }] }],
  ])('keeps the operators on texts in %j', (given, kept) => {
    expect(parse(given)).toEqual(kept);
  });

  it.each([
    [{ sources: [{ numeric: ['=', 1] }] }, '/sources/0/numeric'],
    [{ tags: [{ exists: true }] }, '/tags/0/exists'],
    [{ types: [{}] }, '/types/0'],
    [{ types: [['a']] }, '/types/0'],
    [{ sources: [{ anythingBut: [1] }] }, '/sources/0/anythingBut/0'],
    [{ sources: [{ anythingBut: { anythingBut: 'a' } }] }, '/sources/0/anythingBut/anythingBut'],
  ])('refuses the operators on texts in %j and says where', (given, pointer) => {
    expect(refusal(() => parse(given))).toBe(`invalid_filter at /filter${pointer}`);
  });

  it('reads alternatives, whose fields are those of a filter', () => {
    const kept = { priority: 1, or: [{ types: ['a'] }, { userRelevant: true, or: [{ sources: ['s'] }] }] };
    const given = {
      minimum_priority: 'HIGH',
      $or: [{ event_types: ['a'] }, { user_context: true, or: [{ sources: ['s'] }] }],
    };
    expect(parse(given)).toEqual(kept);
    expect(parse(kept)).toEqual(kept);
  });

  it.each([
    [{ or: {} }, '/or'],
    [{ or: [] }, '/or'],
    [{ or: [1] }, '/or/0'],
    [{ or: [{}, { colour: 1 }] }, '/or/1/colour'],
    [{ or: [{ criticalAlways: true }] }, '/or/0/criticalAlways'],
    [{ or: [{ rateLimitPerMinute: 1 }] }, '/or/0/rateLimitPerMinute'],
    [{ or: [{ or: [{ or: [{}] }] }] }, '/or/0/or/0/or'],
    [{ or: Array(1_001).fill({}) }, '/or'],
    [{ or: Array(11).fill({ sources: Array(100).fill('s') }) }, '/or/9/sources'],
    [{ payload: { $or: [{ a: 1 }, { b: 1 }] } }, '/payload/$or'],
    [{ payload: { or: [{ a: 1 }] } }, '/payload/or'],
    [{ payload: { a: Array(101).fill({ wildcard: '*a' }) } }, '/payload/a/100/wildcard'],
    [{ payload: { a: 'x'.repeat(70_000) } }, ''],
  ])('refuses what is not bounded or no alternative: %#', (given, pointer) => {
    expect(refusal(() => parse(given))).toBe(`invalid_filter at /filter${pointer}`);
  });

  it.each([
    ['userRelevant', ['user_relevant', 'userContext', 'user_context', 'includeUserContext', 'include_user_context']],
    ['projectScoped', ['project_scoped', 'projectContext', 'includeProjectContext', 'include_project_context']],
    ['sessionScoped', ['session_scoped', 'sessionContext', 'includeSessionContext']],
    ['criticalAlways', ['critical_always', 'includeCritical', 'include_critical']],
    ['excludeSystemEvents', ['exclude_system_events']],
    ['excludeSystemHeartbeat', ['exclude_system_heartbeat']],
  ])('knows %s by every spelling of the sources', (name, spellings) => {
    for (const spelling of [name, ...spellings]) {
      expect(parse({ [spelling]: true })).toEqual({ [name]: true });
      expect(parse({ [spelling]: false })).toEqual({});
      expect(refusal(() => parse({ [spelling]: 1 }))).toBe(`invalid_filter at /filter/${spelling}`);
    }
  });

  it('reads every spelling of every field, in both cases, as the same filter', () => {
    const values: Record<string, unknown> = {
      ...Object.fromEntries(
        ['types', 'topics', 'sources', 'tags', 'includeTypes', 'excludeTypes'].map((n) => [n, ['a']]),
      ),
      ...{ priority: 1, metadata: { a: 1 }, payload: { a: 1 }, or: [{ tags: ['a'] }], rateLimitPerMinute: 5 },
    };
    for (const [spelling, name] of FILTER_FIELDS.names) {
      const read = (key: string) => readFilter({ [key]: values[name] ?? true }, DEFAULT_LIMITS, '');
      const snake = spelling.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      for (const key of [spelling, snake]) {
        const { filter, pace } = read(key);
        expect([key, filter, Object.keys(pace)]).toEqual([key, read(name).filter, Object.keys(read(name).pace)]);
      }
    }
  });

  it('refuses a pace where there are no options that could hold it', () => {
    expect(refusal(() => parse({ rate_limit_per_minute: 5 }))).toBe('invalid_filter at /filter/rate_limit_per_minute');
    expect(refusal(() => parse({ smartBatching: true }))).toBe('invalid_filter at /filter/smartBatching');
  });

  it('ends a filter that refers to itself', () => {
    const payload: Record<string, unknown> = {};
    payload['self'] = payload;
    expect(refusal(() => parse({ payload }))).toMatch(/^too_deep at \/filter\/payload\/self/);
  });
});

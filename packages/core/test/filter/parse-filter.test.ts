import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/filter/filter.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { refusal } from '../refusal.ts';

const parse = (input: unknown) => parseFilter(input, DEFAULT_LIMITS, '/filter');

describe('parseFilter', () => {
  it('reads both cases and every spelling to one stored form', () => {
    const expected = { types: ['a.*'], priority: 1, excludeTypes: ['system.heartbeat'] };
    expect(parse({ types: ['a.*'], priority: 'HIGH', excludeTypes: ['system.heartbeat'] })).toEqual(expected);
    expect(parse({ event_types: ['a.*'], minimum_priority: 1, exclude_types: ['system.heartbeat'] })).toEqual(expected);
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

  it.each([
    [{ include_types: ['a', 'b*'] }, 'invalid_pattern at /filter/include_types/1'],
    [{ user_relevant: true }, 'not_supported at /filter/user_relevant'],
    [{ criticalAlways: true }, 'not_supported at /filter/criticalAlways'],
    [{ excludeSystemEvents: true }, 'not_supported at /filter/excludeSystemEvents'],
    [{ rateLimitPerMinute: 5 }, 'not_supported at /filter/rateLimitPerMinute'],
    [{ payload: { a: { prefix: 'x' } } }, 'not_supported at /filter/payload/a'],
    [{ payload: { a: ['x', { 'anything-but': 'y' }] } }, 'not_supported at /filter/payload/a'],
    [{ metadata: { a: { exists: false } } }, 'not_supported at /filter/metadata/a'],
    [{ payload: { $or: [{ a: 1 }, { b: 1 }] } }, 'not_supported at /filter/payload'],
    [{ payload: { or: [{ a: 1 }] } }, 'not_supported at /filter/payload'],
  ])('refuses filter %j, whose meaning would change later', (input, expected) => {
    expect(refusal(() => parse(input))).toBe(expected);
  });

  it('ends a filter that refers to itself', () => {
    const payload: Record<string, unknown> = {};
    payload['self'] = payload;
    expect(refusal(() => parse({ payload }))).toMatch(/^too_deep at \/filter\/payload\/self/);
  });
});

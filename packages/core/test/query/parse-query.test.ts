import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { parseEventQuery } from '../../src/query/parse-query.ts';
import { refusal } from '../refusal.ts';

const parse = (input: unknown) => parseEventQuery(input, DEFAULT_LIMITS);

describe('parseEventQuery', () => {
  it('reads what a URL can say and what a program says to the same query', () => {
    const expected = {
      topic: 'a.*',
      types: ['t'],
      priorities: [0, 1],
      userId: 'u',
      fromMs: 0,
      toMs: 1_000,
    };
    expect(parse({ topic: 'a.*', type: 't', priority: ['HIGH', '0'], user_id: 'u', from: '0', to: '1000' })).toEqual(
      expected,
    );
    const input = { topic: 'a.*', types: ['t'], priorities: [1, 0, 0], userId: 'u', startTime: new Date(0) };
    expect(parse({ ...input, end_time: '1970-01-01T00:00:01Z' })).toEqual(expected);
    expect(parse({})).toEqual({});
  });

  it.each([
    [null, 'invalid_query at '],
    [{ colour: 1 }, 'invalid_query at /colour'],
    [{ topic: 1 }, 'invalid_query at /topic'],
    [{ topic: ['a', 'b'] }, 'invalid_query at /topic'],
    [{ topic: 'a*' }, 'invalid_pattern at /topic'],
    [{ types: [] }, 'invalid_query at /types'],
    [{ types: ['a', 1] }, 'invalid_query at /types/1'],
    [{ type: '**' }, 'invalid_pattern at /type'],
    [{ sources: '' }, 'invalid_query at /sources'],
    [{ priority: 'x' }, 'invalid_query at /priority'],
    [{ priority: '4' }, 'invalid_query at /priority'],
    [{ priority: [] }, 'invalid_query at /priority'],
    [{ userId: ['a'] }, 'invalid_query at /userId'],
    [{ projectId: 'x'.repeat(256) }, 'invalid_query at /projectId'],
    [{ correlationId: 'a\0' }, 'invalid_query at /correlationId'],
    [{ from: 'yesterday' }, 'invalid_query at /from'],
    [{ until: true }, 'invalid_query at /until'],
    [{ from: 1, fromMs: 1 }, 'invalid_query at /fromMs'],
  ])('refuses %j', (input, expected) => {
    expect(refusal(() => parse(input))).toBe(expected);
  });
});

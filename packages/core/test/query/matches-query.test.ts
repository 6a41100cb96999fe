import { describe, expect, it } from 'vitest';
import type { Recorded } from '../../src/contracts/event-store.ts';
import { normalize } from '../../src/ingest/normalize.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS } from '../../src/principal.ts';
import type { EventQuery } from '../../src/query/event-query.ts';
import { matchesQuery } from '../../src/query/matches-query.ts';

const appendable = normalize(
  {
    type: 'a.b',
    source: 's',
    topic: 't/u',
    priority: 1,
    correlationId: 'c',
    metadata: { userId: 'u', projectId: 'p' },
  },
  { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 },
);
const record: Recorded = { ...appendable, place: { partition: 0, position: 1 }, recordedAtMs: 100 };

const matching: EventQuery[] = [
  {},
  { topic: 't.*' },
  { types: ['x', 'a.+'] },
  { sources: ['s'] },
  { priorities: [0, 1] },
  { userId: 'u', projectId: 'p', correlationId: 'c' },
  { fromMs: 100, toMs: 101 },
];
const others: EventQuery[] = [
  { topic: 't' },
  { topic: 't.*', types: ['x'] },
  { sources: ['t'] },
  { priorities: [0] },
  { userId: 'v' },
  { projectId: 'v' },
  { correlationId: 'v' },
  { fromMs: 101 },
  { toMs: 100 },
];

describe('matchesQuery', () => {
  it.each(matching)('finds the record by %j', (query) => {
    expect(matchesQuery(query, record)).toBe(true);
  });

  it.each(others)('does not find it by %j', (query) => {
    expect(matchesQuery(query, record)).toBe(false);
  });

  it('does not read the body when the record alone decides: damage elsewhere must not break a search by topic', () => {
    const unreadable = { ...record, body: new Uint8Array([0xff]) };
    expect(matchesQuery({ topic: 't.*', priorities: [1], fromMs: 0 }, unreadable)).toBe(true);
    expect(matchesQuery({ topic: 'other', userId: 'u' }, unreadable)).toBe(false);
  });
});

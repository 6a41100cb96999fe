import { describe, expect, it } from 'vitest';
import type { RelevanceContext } from '../../src/context/context.ts';
import { knownContext } from '../../src/context/context-cell.ts';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { compileFilter, failingClause, parseFilter } from '../../src/filter/filter.ts';
import { normalize } from '../../src/ingest/normalize.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS } from '../../src/principal.ts';

const WRITING = { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 };
const NOBODY: RelevanceContext = { userIds: [], projectIds: [], sessionIds: [] };
const SOMEBODY = { userIds: ['u1'], projectIds: ['p1'], sessionIds: ['s1'] };

const event = (input: object) =>
  decodeEvent(normalize({ type: 'order.created', source: 'shop', ...input }, WRITING).body);

function passes(filter: object, input: object, context?: RelevanceContext): boolean {
  const known = { current: context && knownContext(context) };
  return compileFilter(parseFilter(filter, DEFAULT_LIMITS, ''), known)(event(input));
}

describe('relevance without a context', () => {
  it.each([
    ['userRelevant', { userId: 'any' }, true],
    ['userRelevant', { projectId: 'any' }, true],
    ['userRelevant', { sessionId: 'any' }, false],
    ['userRelevant', {}, false],
    ['projectScoped', { projectId: 'any' }, true],
    ['projectScoped', { userId: 'any' }, false],
    ['sessionScoped', { sessionId: 'any' }, true],
    ['sessionScoped', { userId: 'any', projectId: 'any' }, false],
  ])('%s of %j: %s', (clause, metadata, expected) => {
    expect(passes({ [clause]: true }, { metadata })).toBe(expected);
  });
});

describe('relevance to a context', () => {
  it.each([
    ['userRelevant', { userId: 'u1' }, true],
    ['userRelevant', { userId: 'u2' }, false],
    ['userRelevant', { userId: 'u2', projectId: 'p1' }, true],
    ['userRelevant', { userId: 'p1' }, false],
    ['userRelevant', { sessionId: 's1' }, false],
    ['projectScoped', { projectId: 'p1', userId: 'u2' }, true],
    ['projectScoped', { projectId: 'p2', userId: 'u1' }, false],
    ['sessionScoped', { sessionId: 's1' }, true],
    ['sessionScoped', { sessionId: 's2', userId: 'u1' }, false],
  ])('%s of %j: %s', (clause, metadata, expected) => {
    expect(passes({ [clause]: true }, { metadata }, SOMEBODY)).toBe(expected);
    // A context of nobody is a context: nothing is relevant.
    expect(passes({ [clause]: true }, { metadata }, NOBODY)).toBe(false);
  });
});

describe('criticalAlways', () => {
  const critical = { priority: 'CRITICAL', type: 'system.heartbeat' };

  it.each([
    { userRelevant: true },
    { projectScoped: true },
    { sessionScoped: true },
    { types: ['order.*'] },
    { includeTypes: ['order.*'] },
    { excludeTypes: ['system.*'] },
    { excludeSystemHeartbeat: true },
    { priority: ['HIGH', 'LOW'] },
    { or: [{ userRelevant: true }, { types: ['order.*'] }] },
  ])('lets a CRITICAL event pass %j, and no other', (clause) => {
    expect(passes(clause, critical, NOBODY)).toBe(false);
    expect(passes({ ...clause, criticalAlways: true }, critical, NOBODY)).toBe(true);
    const normal = { ...critical, priority: 'NORMAL' };
    expect(passes({ ...clause, criticalAlways: true }, normal, NOBODY)).toBe(false);
  });

  it.each([
    { sources: ['elsewhere'] },
    { topics: ['order.*'] },
    { tags: ['vip'] },
    { metadata: { region: 'eu' } },
    { payload: { total: { numeric: ['>', 1] } } },
    { or: [{ sources: ['elsewhere'] }, { tags: ['vip'] }] },
  ])('does not let it pass %j, which is about what the event says', (clause) => {
    expect(passes({ ...clause, criticalAlways: true }, critical)).toBe(false);
  });
});

describe('system events', () => {
  it.each([
    ['system.heartbeat', false],
    ['system/disk/full', false],
    ['metrics.internal', false],
    ['log.debug', false],
    ['system', true],
    ['systems.started', true],
    ['login.failed', true],
    ['catalog.changed', true],
    ['order.system.checked', true],
  ])('excludeSystemEvents lets %s pass: %s', (type, expected) => {
    expect(passes({ excludeSystemEvents: true }, { type })).toBe(expected);
    expect(passes({ excludeSystemEvents: true }, { type, priority: 'CRITICAL' })).toBe(true);
  });

  it.each([
    ['system.heartbeat', false],
    ['system/heartbeat', false],
    ['system.heartbeats', true],
    ['system.heartbeat.late', true],
    ['system.error', true],
  ])('excludeSystemHeartbeat lets %s pass: %s', (type, expected) => {
    expect(passes({ excludeSystemHeartbeat: true }, { type, priority: 'CRITICAL' })).toBe(expected);
  });
});

describe('failingClause', () => {
  const filter = parseFilter(
    { priority: 'NORMAL', types: ['order.*'], payload: { 'a.b': { exists: true }, 'c/d': 1 }, or: [{ tags: ['x'] }] },
    DEFAULT_LIMITS,
    '',
  );

  it.each([
    [{ priority: 'LOW' }, '/priority'],
    [{ type: 'user.created' }, '/types'],
    [{ payload: {} }, '/payload/a.b'],
    [{ payload: { a: { b: 1 } } }, '/payload/c~1d'],
    [{ payload: { a: { b: 1 }, 'c/d': 1 } }, '/or'],
    [{ payload: { a: { b: 1 }, 'c/d': 1 }, metadata: { tags: ['x'] } }, undefined],
  ])('names the first clause that keeps %j out', (input, pointer) => {
    expect(failingClause(filter, event(input))).toBe(pointer);
  });
});

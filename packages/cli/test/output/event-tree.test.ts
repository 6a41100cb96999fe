import type { EventGraph, GraphEvent } from '@event-manager/core';
import { expect, it } from 'vitest';
import { eventTree } from '../../src/output/event-tree.ts';

const START_MS = Date.parse('2026-11-20T08:00:00Z');

function event(id: string, causationId: string | undefined, afterMs: number): GraphEvent {
  const recordedAt = new Date(START_MS + afterMs).toISOString();
  const rest = causationId === undefined ? {} : { causationId };
  const described = { type: 'a', source: 's', topic: 'a', priority: 'NORMAL', timestamp: recordedAt } as const;
  return { id, ...described, recordedAt, relation: id === '1' ? 'asked' : 'flow', ...rest };
}

function graphOf(events: readonly GraphEvent[], missing: EventGraph['missing'] = []): EventGraph {
  return { id: '1', events, missing, complete: true, cut: [] };
}

it('draws boxes, with the wait since the cause in the largest unit that says something', () => {
  const day = 86_400_000;
  const events = [event('1', undefined, 0), event('2', '1', 120), event('3', '2', 4_120), event('4', '2', -5_000)];
  const far = [event('5', '1', 90 * 60_000), event('6', '1', 2.5 * day), event('7', '1', 59_999)];
  expect(eventTree(graphOf([...events, ...far]), true)).toEqual([
    '2026-11-20T08:00:00.000Z  a  from s  1  <- asked for',
    '├─ +120 ms  a  from s  2',
    '│  ├─ +4.0 s  a  from s  3',
    '│  └─ -5.1 s  a  from s  4',
    '├─ +1.5 h  a  from s  5',
    '├─ +2.5 d  a  from s  6',
    '└─ +60.0 s  a  from s  7',
  ]);
});

it('draws what has no cause in the graph at the left, and says why', () => {
  const events = [event('1', 'LOST', 0), event('2', 'far', 1), event('3', 'lost', 2), event('4', undefined, 3)];
  expect(eventTree(graphOf(events, [{ id: 'LOST', namedBy: ['1'] }]), false)).toEqual([
    'LOST  is not kept',
    '|- 2026-11-20T08:00:00.000Z  a  from s  1  <- asked for',
    '`- 2026-11-20T08:00:00.002Z  a  from s  3',
    'far  is not shown',
    '`- 2026-11-20T08:00:00.001Z  a  from s  2',
    '2026-11-20T08:00:00.003Z  a  from s  4',
  ]);
});

it('ends where a cycle closes', () => {
  const events = [event('1', '3', 0), event('2', '1', 1), event('3', '2', 2), event('4', '4', 3)];
  expect(eventTree(graphOf(events), false)).toEqual([
    '2026-11-20T08:00:00.000Z  a  from s  1  <- asked for',
    '`- +1 ms  a  from s  2',
    '   `- +1 ms  a  from s  3',
    '      `- 1  closes a cycle',
    '2026-11-20T08:00:00.003Z  a  from s  4',
    '`- 4  closes a cycle',
  ]);
});

it('shows controls in a type for what they are', () => {
  const dressed = { ...event('1', undefined, 0), type: 'a\u001b[2J' };
  expect(eventTree(graphOf([dressed]), true)[0]).toContain('a\\u001b[2J');
});

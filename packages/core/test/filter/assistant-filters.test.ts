import { describe, expect, it } from 'vitest';
import { knownContext } from '../../src/context/context-cell.ts';
import { decodeEvent } from '../../src/event/decode-event.ts';
import { EventPriority } from '../../src/event/priority.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { normalize } from '../../src/ingest/normalize.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ANONYMOUS } from '../../src/principal.ts';
import { parseSubscription } from '../../src/subscription/parse-subscription.ts';

const WRITING = { principal: ANONYMOUS, limits: DEFAULT_LIMITS, nextId: () => crypto.randomUUID(), nowMs: 0 };
const REQUEST = { topic: '#', handler: () => {} };
const INCLUDED = ['project.*', 'process.*', 'knowledge.*', 'llm.*', 'user.action.*', 'system.error.*', 'workflow.*'];

/* The filters that assistants are given in the specifications of their first users, letter by letter. */

const universalOverHttp = {
  priority: 'NORMAL',
  exclude_types: ['system.heartbeat', 'metrics.internal'],
  user_relevant: true,
};
const universal = {
  priority: EventPriority.NORMAL,
  excludeTypes: ['system.heartbeat', 'metrics.internal'],
  userRelevant: true,
  projectScoped: true,
};
const realtime = { priority: ['CRITICAL', 'HIGH'], userContext: true, projectContext: true };
const realtimeFeed = { ...realtime, priority: [EventPriority.CRITICAL, EventPriority.HIGH], excludeSystemEvents: true };
const critical = { priority: EventPriority.CRITICAL, types: ['process.stuck', 'user.error', 'system.failure'] };
const smart = {
  userRelevant: true,
  projectScoped: true,
  minimumPriority: 'NORMAL',
  criticalAlways: true,
  includeTypes: INCLUDED,
  excludeTypes: ['system.heartbeat', 'metrics.internal', 'log.debug'],
  rateLimitPerMinute: 1000,
  batchingEnabled: true,
};
const byDefault = { ...smart, sessionScoped: false, minimumPriority: EventPriority.NORMAL };
const contextual = {
  includeCritical: true,
  includeUserContext: true,
  includeProjectContext: true,
  excludeSystemHeartbeat: true,
  rateLimitPerMinute: 1000,
  smartBatching: true,
};

const of = (type: string, priority: string, metadata: object = { userId: 'u1', projectId: 'p1' }) =>
  decodeEvent(normalize({ type, source: 'test', priority, metadata }, WRITING).body);

const EVENTS = {
  ours: of('project.created', 'NORMAL'),
  urgent: of('project.created', 'HIGH'),
  low: of('project.created', 'LOW'),
  'of another project': of('project.created', 'HIGH', { userId: 'u1', projectId: 'p2' }),
  'of another user': of('project.created', 'HIGH', { userId: 'u2', projectId: 'p1' }),
  'of nobody': of('process.stuck', 'NORMAL', {}),
  'of nobody, critical': of('process.stuck', 'CRITICAL', {}),
  'of no project': of('llm.answered', 'HIGH', { userId: 'u1' }),
  'a heartbeat': of('system.heartbeat', 'NORMAL'),
  'a critical heartbeat': of('system.heartbeat', 'CRITICAL'),
  'an error of the system': of('system.error.disk', 'HIGH'),
  'of another type': of('billing.paid', 'HIGH'),
} as const;

/** What passes without a registered context, and what with one of user u1 and project p1. */
const CASES = [
  [
    'the universal subscription over HTTP',
    universalOverHttp,
    [
      'ours',
      'urgent',
      'of another project',
      'of another user',
      'of no project',
      'an error of the system',
      'of another type',
    ],
    [
      'ours',
      'urgent',
      'of another project',
      'of another user',
      'of no project',
      'an error of the system',
      'of another type',
    ],
  ],
  [
    'the universal subscription',
    universal,
    ['ours', 'urgent', 'of another project', 'of another user', 'an error of the system', 'of another type'],
    ['ours', 'urgent', 'of another user', 'an error of the system', 'of another type'],
  ],
  [
    'the realtime stream',
    realtime,
    [
      'urgent',
      'of another project',
      'of another user',
      'a critical heartbeat',
      'an error of the system',
      'of another type',
    ],
    ['urgent', 'of another user', 'a critical heartbeat', 'an error of the system', 'of another type'],
  ],
  [
    'the realtime feed',
    realtimeFeed,
    ['urgent', 'of another project', 'of another user', 'a critical heartbeat', 'of another type'],
    ['urgent', 'of another user', 'a critical heartbeat', 'of another type'],
  ],
  ['the critical subscription', critical, ['of nobody, critical'], ['of nobody, critical']],
  [
    'the smart filter',
    smart,
    [
      'ours',
      'urgent',
      'of another project',
      'of another user',
      'of nobody, critical',
      'a critical heartbeat',
      'an error of the system',
    ],
    ['ours', 'urgent', 'of another user', 'of nobody, critical', 'a critical heartbeat', 'an error of the system'],
  ],
  [
    'the default filter',
    byDefault,
    [
      'ours',
      'urgent',
      'of another project',
      'of another user',
      'of nobody, critical',
      'a critical heartbeat',
      'an error of the system',
    ],
    ['ours', 'urgent', 'of another user', 'of nobody, critical', 'a critical heartbeat', 'an error of the system'],
  ],
  [
    'the context filter',
    contextual,
    [
      'ours',
      'urgent',
      'low',
      'of another project',
      'of another user',
      'of nobody, critical',
      'a critical heartbeat',
      'an error of the system',
      'of another type',
    ],
    [
      'ours',
      'urgent',
      'low',
      'of another user',
      'of nobody, critical',
      'a critical heartbeat',
      'an error of the system',
      'of another type',
    ],
  ],
] as const;

describe.each(CASES)('%s', (_name, filter, withoutContext, withContext) => {
  const stored = parseSubscription({ ...REQUEST, filter }, DEFAULT_LIMITS);
  const passing = (current?: ReturnType<typeof knownContext>) => {
    const matches = compileFilter(stored.filter!, { current });
    return Object.entries(EVENTS).flatMap(([name, event]) => (matches(event) ? [name] : []));
  };

  it('lets these pass while nobody said whom the assistant works for', () => {
    expect(passing()).toEqual(withoutContext);
  });

  it('lets these pass for one user and project', () => {
    expect(passing(knownContext({ userIds: ['u1'], projectIds: ['p1'], sessionIds: [] }))).toEqual(withContext);
  });
});

/** An assistant whose pace was lost on the way would be flooded, or get every event in a call of its own. */
it('moves what the filters say of the pace into the options', () => {
  for (const filter of [smart, byDefault, contextual]) {
    const { filter: kept, options } = parseSubscription({ ...REQUEST, filter }, DEFAULT_LIMITS);
    expect(options).toMatchObject({ rateLimitPerMinute: 1000, batchSize: 20, flushIntervalMs: 100 });
    expect(Object.keys(kept!).filter((name) => /rate|batch/i.test(name))).toEqual([]);
  }
});

it('knows that the patterns of the default filter miss types that have no level below', () => {
  const { filter } = parseSubscription({ ...REQUEST, filter: byDefault }, DEFAULT_LIMITS);
  const matches = compileFilter(filter!);
  expect(['user.action', 'system.error'].filter((type) => matches(of(type, 'HIGH')))).toEqual([]);
  const more = { ...byDefault, includeTypes: [...INCLUDED, 'user.action', 'system.error'] };
  const wider = compileFilter(parseSubscription({ ...REQUEST, filter: more }, DEFAULT_LIMITS).filter!);
  expect(['user.action', 'system.error'].every((type) => wider(of(type, 'HIGH')))).toBe(true);
});

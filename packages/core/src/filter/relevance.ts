import type { ContextCell } from '../context/context-cell.ts';
import type { Event } from '../event/event.ts';
import { canonicalLevels } from '../topic/topic.ts';
import type { FilterClauses } from './filter.ts';

type Test = (event: Event) => boolean;

/** Types under these belong to the running of a system. */
const SYSTEM_ROOTS = ['system', 'metrics', 'log'];
const HEARTBEAT = 'system/heartbeat';

/**
 * Makes the tests of whom an event concerns, by the name of the clause. Without a context an event is relevant when it names
 * anybody; with one, when it names one of those in it. The context is looked at anew for every event: it changes while the
 * filter stands.
 */
export function relevanceTests(filter: FilterClauses, { known }: { known: ContextCell }): [string, Test][] {
  const tests: [string, Test][] = [];
  if (filter.userRelevant) tests.push(['userRelevant', (event) => isOfUserOrProject(event, known)]);
  if (filter.projectScoped) {
    tests.push(['projectScoped', ({ metadata: { projectId } }) => isOf(projectId, known.current?.projectIds)]);
  }
  if (filter.sessionScoped) {
    tests.push(['sessionScoped', ({ metadata: { sessionId } }) => isOf(sessionId, known.current?.sessionIds)]);
  }
  return tests;
}

/** Makes the tests that keep out what systems say to themselves. */
export function systemTests(filter: FilterClauses): [string, Test][] {
  const tests: [string, Test][] = [];
  if (filter.excludeSystemEvents) {
    tests.push(['excludeSystemEvents', ({ type, priority }) => priority === 0 || !isUnderSystem(type)]);
  }
  if (filter.excludeSystemHeartbeat) tests.push(['excludeSystemHeartbeat', ({ type }) => !isHeartbeat(type)]);
  return tests;
}

function isOfUserOrProject({ metadata: { userId, projectId } }: Event, { current }: ContextCell): boolean {
  return isOf(userId, current?.userIds) || isOf(projectId, current?.projectIds);
}

function isOf(id: string | undefined, known: ReadonlySet<string> | undefined): boolean {
  return id !== undefined && (known === undefined || known.has(id));
}

function isUnderSystem(type: string): boolean {
  for (const root of SYSTEM_ROOTS) {
    if (!type.startsWith(root)) continue;
    const next = type.charAt(root.length);
    if (next === '.' || next === '/') return true;
  }
  return false;
}

function isHeartbeat(type: string): boolean {
  return type.length === HEARTBEAT.length && canonicalLevels(type) === HEARTBEAT;
}

import type { Recorded } from '../contracts/event-store.ts';
import { decodeStoredEvent } from '../event/decode-event.ts';
import type { StoredEvent } from '../event/encode-event.ts';
import type { Lane } from '../event/priority.ts';
import { compilePatterns } from '../topic/compile-patterns.ts';
import { isHidden } from '../topic/pattern.ts';
import type { EventQuery } from './event-query.ts';

/** Decides whether a record answers the query. For many records make the test once with `compileQuery`. */
export function matchesQuery(query: EventQuery, record: Recorded): boolean {
  return compileQuery(query)(record);
}

/**
 * Makes the test for one query. What the record says by itself (time, lane, topic) is looked at first; the body is decoded
 * only for the rest. Throws `invalid_pattern`.
 */
export function compileQuery(query: EventQuery): (record: Recorded) => boolean {
  const matchesRecord = compileRecordPart(query);
  const matchesBody = compileBodyPart(query);
  if (matchesBody === undefined) return matchesRecord;
  return (record) => matchesRecord(record) && matchesBody(decodeStoredEvent(record.body));
}

/** The part that needs no body. */
function compileRecordPart(query: EventQuery): (record: Recorded) => boolean {
  const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = query;
  const lanes = query.priorities === undefined ? undefined : new Set<Lane>(query.priorities);
  const matchesTopic = query.topic === undefined ? isNotHidden : compilePatterns([query.topic]);
  return ({ recordedAtMs, lane, topic }) =>
    recordedAtMs >= fromMs && recordedAtMs < toMs && (lanes === undefined || lanes.has(lane)) && matchesTopic(topic);
}

function isNotHidden(topic: string): boolean {
  return !isHidden(topic);
}

/** The part that needs the body; `undefined` when the query asks for nothing in it. */
function compileBodyPart(query: EventQuery): ((event: StoredEvent) => boolean) | undefined {
  const { userId, projectId, correlationId } = query;
  const matchesType = query.types === undefined ? undefined : compilePatterns(query.types);
  const sources = query.sources === undefined ? undefined : new Set(query.sources);
  const causes = query.causationIds === undefined ? undefined : new Set(query.causationIds);
  const asksNothing = matchesType === undefined && sources === undefined && causes === undefined;
  const asksNobody = userId === undefined && projectId === undefined && correlationId === undefined;
  if (asksNothing && asksNobody) return undefined;
  return (event) =>
    (correlationId === undefined || event.correlationId === correlationId) &&
    (causes === undefined || (event.causationId !== undefined && causes.has(event.causationId))) &&
    (userId === undefined || event.metadata?.userId === userId) &&
    (projectId === undefined || event.metadata?.projectId === projectId) &&
    (sources === undefined || sources.has(event.source)) &&
    (matchesType === undefined || matchesType(event.type));
}

import { Buffer } from 'node:buffer';
import type { Recorded } from '../contracts/event-store.ts';
import type { EventQuery } from './event-query.ts';

/** The fields of an encoded event that queries look at. */
interface Encoded {
  readonly type: string;
  readonly source: string;
  readonly correlationId?: string;
  readonly metadata?: { readonly userId?: string; readonly projectId?: string };
}

/** Decides whether a record is in the answer to a query. Reads the body only when the cheap fields leave it open. */
export function matchesQuery(query: EventQuery, record: Recorded): boolean {
  if (query.fromMs !== undefined && record.recordedAtMs < query.fromMs) return false;
  if (query.toMs !== undefined && record.recordedAtMs >= query.toMs) return false;
  if (query.priorities !== undefined && !query.priorities.includes(record.lane)) return false;
  if (query.topic !== undefined && !matchesPattern(query.topic, record.topic)) return false;
  if (!readsBody(query)) return true;
  const event = JSON.parse(Buffer.from(record.body).toString('utf8')) as Encoded;
  if (query.types !== undefined && !query.types.some((pattern) => matchesPattern(pattern, event.type))) return false;
  if (query.sources !== undefined && !query.sources.includes(event.source)) return false;
  if (query.correlationId !== undefined && event.correlationId !== query.correlationId) return false;
  if (query.userId !== undefined && event.metadata?.userId !== query.userId) return false;
  return query.projectId === undefined || event.metadata?.projectId === query.projectId;
}

function readsBody({ types, sources, correlationId, userId, projectId }: EventQuery): boolean {
  return [types, sources, correlationId, userId, projectId].some((field) => field !== undefined);
}

function matchesPattern(pattern: string, topic: string): boolean {
  const levels = topic.split(/[/.]/);
  const wanted = pattern.split(/[/.]/);
  if (levels[0]!.startsWith('$') && /^[#*+]$/.test(wanted[0]!)) return false;
  return matchesLevels(wanted, 0, levels, 0);
}

function matchesLevels(wanted: readonly string[], w: number, levels: readonly string[], l: number): boolean {
  if (w === wanted.length) return l === levels.length;
  const level = wanted[w]!;
  if (level === '#')
    return matchesLevels(wanted, w + 1, levels, l) || (l < levels.length && matchesLevels(wanted, w, levels, l + 1));
  if (l === levels.length) return false;
  if (level === '*') return matchesLevels(wanted, w + 1, levels, l + 1) || matchesLevels(wanted, w, levels, l + 1);
  return (level === '+' || level === levels[l]) && matchesLevels(wanted, w + 1, levels, l + 1);
}

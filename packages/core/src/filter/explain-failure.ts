import { type ContextCell, NO_CONTEXT } from '../context/context-cell.ts';
import type { Event } from '../event/event.ts';
import { priorityName } from '../event/priority.ts';
import type { JsonValue } from '../json.ts';
import { whatFails } from './compile-filter.ts';
import type { FailingClause, Filter } from './filter.ts';
import { compilePath } from './value-at-path.ts';

/** What an event has is quoted as long as it is short enough to be read. */
const QUOTED_CHARACTERS_MAX = 1_024;
/** The clauses that ask whom an event concerns. */
const RELEVANCE: ReadonlySet<string> = new Set(['userRelevant', 'projectScoped', 'sessionScoped']);

/** Why a filter keeps an event out. */
export interface FilterFailure {
  /** JSON pointer of the clause in the filter. */
  readonly clause: string;
  /** What the clause says. */
  readonly wanted: JsonValue;
  /** What the event has there; absent where it has nothing. */
  readonly found?: JsonValue;
  /** Of `or`: what keeps it out of each alternative, in their order. */
  readonly alternatives?: readonly FilterFailure[];
  /** The clause asks whom the event concerns. */
  readonly isRelevance: boolean;
}

/** The first clause that keeps the event out; `undefined` when it passes. The same tests as delivery makes. */
export function explainFailure(
  filter: Filter | undefined,
  event: Event,
  known: ContextCell = NO_CONTEXT,
): FilterFailure | undefined {
  const failing = filter && whatFails(filter, event, known);
  return failing && explained(filter, event, failing);
}

function explained(filter: Filter, event: Event, { pointer, alternatives }: FailingClause): FilterFailure {
  const names = pointer.slice(1).split('/').map(plainToken);
  const found = alternatives ? undefined : quoted(foundBy(event, names));
  return {
    clause: pointer,
    wanted: at(filter, names),
    ...(found === undefined ? {} : { found }),
    ...(alternatives ? { alternatives: alternatives.map((each) => explained(filter, event, each)) } : {}),
    isRelevance: RELEVANCE.has(names.at(-1)!),
  };
}

/** The clause is named by what stands behind the alternatives it is in. */
function foundBy(event: Event, names: readonly string[]): unknown {
  let from = 0;
  while (names[from] === 'or') from += 2;
  const [name, path] = names.slice(from);
  switch (name) {
    case 'priority':
      return priorityName(event.priority);
    case 'sources':
      return event.source;
    case 'topics':
      return event.topic;
    case 'tags':
      return event.metadata.tags;
    case 'metadata':
      return compilePath(path!)(event.metadata);
    case 'payload':
      return compilePath(path!)(event.payload);
    case 'userRelevant':
      return { userId: event.metadata.userId ?? null, projectId: event.metadata.projectId ?? null };
    case 'projectScoped':
      return event.metadata.projectId;
    case 'sessionScoped':
      return event.metadata.sessionId;
    default:
      return event.type;
  }
}

/** As the event has it in JSON, cut where that is long. */
function quoted(found: unknown): JsonValue | undefined {
  if (found === undefined) return undefined;
  const text = JSON.stringify(found);
  if (text.length <= QUOTED_CHARACTERS_MAX) return JSON.parse(text) as JsonValue;
  return `${text.slice(0, QUOTED_CHARACTERS_MAX).toWellFormed()}…`;
}

function at(filter: Filter, names: readonly string[]): JsonValue {
  let value: unknown = filter;
  for (const name of names) value = (value as Readonly<Record<string, unknown>>)[name];
  return (value ?? null) as JsonValue;
}

function plainToken(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}

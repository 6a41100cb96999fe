/** What a filter may hold as it is given, for compilers and editors; `FILTER_FIELDS` says it to the reader. */
import type { EventPriority, PriorityName } from '../event/priority.ts';
import type { Spelled } from '../json/spelled.ts';
import type { CLAUSE_SPELLINGS, FILTER_SPELLINGS } from './aliases.ts';

type Priority = EventPriority | PriorityName;
/** A text, or an operator; what operators there are is for the reader to say. */
type TextIn = string | Readonly<Record<string, unknown>>;
type Texts = TextIn | readonly TextIn[];

/** By their settled names; `docs/subscriptions.md` has what they mean. */
interface ClauseValues {
  types: Texts;
  sources: Texts;
  topics: Texts;
  /** One: it or a more urgent one. A list: exactly these. */
  priority: Priority | readonly Priority[];
  /** By key or dotted path: a value, a list of alternatives, or operators. */
  metadata: Readonly<Record<string, unknown>>;
  payload: Readonly<Record<string, unknown>>;
  tags: Texts;
  includeTypes: Texts;
  excludeTypes: Texts;
  userRelevant: boolean;
  projectScoped: boolean;
  sessionScoped: boolean;
  excludeSystemEvents: boolean;
  excludeSystemHeartbeat: boolean;
  /** At least one of these has to pass, too. */
  or: readonly FilterAlternativeIn[];
}

export interface FilterValues extends ClauseValues {
  /** A CRITICAL event passes whatever priority, types and relevance are wanted. */
  criticalAlways: boolean;
  rateLimitPerMinute: number;
  smartBatching: boolean;
}

export type FilterAlternativeIn = Spelled<ClauseValues, typeof CLAUSE_SPELLINGS>;
export type FilterIn = Spelled<FilterValues, typeof FILTER_SPELLINGS>;

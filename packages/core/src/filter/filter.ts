import type { EventPriority } from '../event/priority.ts';
import type { JsonValue } from '../json.ts';

/**
 * Which events of its topic a subscription wants, in the one form that is stored. Fields are ANDed, the entries of a list are
 * ORed (except `tags`, where all are required). It is JSON, so it is stored as it is.
 */
export interface Filter extends FilterClauses {
  /** At least one of these has to pass, too. */
  readonly or?: readonly FilterAlternative[];
  /** A CRITICAL event passes whatever priority, types and relevance are wanted, in the alternatives too. */
  readonly criticalAlways?: true;
}

/** One of `or`. */
export interface FilterAlternative extends FilterClauses {
  readonly or?: readonly FilterClauses[];
}

export interface FilterClauses {
  /** Over the event type: patterns, or operators. */
  readonly types?: readonly TextMatcher[];
  readonly sources?: readonly TextMatcher[];
  /** Over the topic, besides the pattern of the subscription. */
  readonly topics?: readonly TextMatcher[];
  /** One priority: it or a more urgent one. A list: exactly these. */
  readonly priority?: EventPriority | readonly EventPriority[];
  /** By key or dotted path. A list means one of its entries; a value means JSON value equality. */
  readonly metadata?: ValueFilter;
  readonly payload?: ValueFilter;
  /** All of them must be there; a denied one must not. */
  readonly tags?: readonly TextMatcher[];
  /** As `types`, besides it. */
  readonly includeTypes?: readonly TextMatcher[];
  /** A match refuses the event. */
  readonly excludeTypes?: readonly TextMatcher[];
  /** The event is of one of the users or projects of the context; without a context: of any. */
  readonly userRelevant?: true;
  /** The event is of one of the projects of the context; without a context: of any. */
  readonly projectScoped?: true;
  /** The event is of one of the sessions of the context; without a context: of any. */
  readonly sessionScoped?: true;
  /** Refuses types under `system`, `metrics` and `log` unless the event is CRITICAL. */
  readonly excludeSystemEvents?: true;
  /** Refuses the type `system.heartbeat`. */
  readonly excludeSystemHeartbeat?: true;
}

export type ValueFilter = Readonly<Record<string, JsonValue>>;

export type TextMatcher = string | TextOperators;

/** All that are given have to hold; the entries of a list are alternatives. */
export interface TextOperators {
  readonly prefix?: string | readonly string[];
  readonly suffix?: string | readonly string[];
  readonly equalsIgnoreCase?: string | readonly string[];
  /** `*` is any run of characters. */
  readonly wildcard?: string | readonly string[];
  /** What the text must not be; it is there all the same. */
  readonly anythingBut?: JsonValue;
}

export { compileFilter, type FailingClause, failingClause, whatFails } from './compile-filter.ts';
export { type PaceInFilter, parseFilter, readFilter } from './parse-filter.ts';

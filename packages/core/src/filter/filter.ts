import type { EventPriority } from '../event/priority.ts';
import type { JsonValue } from '../json.ts';

/**
 * Which events of its topic a subscription wants. Fields are ANDed, the entries of a list are ORed (except `tags`, where
 * all are required). It is JSON, so it is stored as it is.
 */
export interface Filter {
  /** Patterns over the event type. */
  readonly types?: readonly string[];
  readonly sources?: readonly string[];
  /** One priority: it or a more urgent one. A list: exactly these. */
  readonly priority?: EventPriority | readonly EventPriority[];
  /** Values by key or dotted path. A list means one of its entries; anything else means JSON value equality. */
  readonly metadata?: ValueFilter;
  readonly payload?: ValueFilter;
  /** All of them must be there. */
  readonly tags?: readonly string[];
  /** Patterns over the event type, besides `types`. */
  readonly includeTypes?: readonly string[];
  /** Patterns over the event type; a match refuses the event. */
  readonly excludeTypes?: readonly string[];
}

export type ValueFilter = Readonly<Record<string, JsonValue>>;

export { compileFilter } from './compile-filter.ts';
export { parseFilter } from './parse-filter.ts';

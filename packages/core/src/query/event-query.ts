import type { EventPriority } from '../event/priority.ts';

/** Which stored events to find. Fields are ANDed; the entries of a list are ORed. Times are those of recording. */
export interface EventQuery {
  /** Topic pattern; as `#` when absent, which does not match the bus's own events under `$sys`. */
  readonly topic?: string;
  /** Patterns over the event type. */
  readonly types?: readonly string[];
  readonly sources?: readonly string[];
  readonly priorities?: readonly EventPriority[];
  readonly userId?: string;
  readonly projectId?: string;
  readonly correlationId?: string;
  /** Ids of causes, as the events that followed from them spell them. */
  readonly causationIds?: readonly string[];
  /** Recorded at or after, milliseconds since 1970. */
  readonly fromMs?: number;
  /** Recorded before, milliseconds since 1970. */
  readonly toMs?: number;
}

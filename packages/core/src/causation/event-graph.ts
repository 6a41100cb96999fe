import { EventManagerError } from '../errors/event-manager-error.ts';
import type { PriorityName } from '../event/priority.ts';

/** How far a graph goes. */
export interface EventGraphRequest {
  /** Steps from the event that is asked about, in either direction: 0 to 100, by default 10. */
  readonly depth?: number | undefined;
  /** Events in the graph: 1 to 5,000, by default 500. */
  readonly eventsMax?: number | undefined;
}

/**
 * What an event followed from, what followed from it, and what else belongs to its flow. The flow are the events with its
 * correlation id; of an event without one, those that name its own id as theirs.
 */
export interface EventGraph {
  /** Of the event that was asked about. */
  readonly id: string;
  /** In the order of the log. Whoever draws them finds the cause of each under its `causationId`. */
  readonly events: readonly GraphEvent[];
  /** Causes that events of the graph name and that are not kept: removed by retention, or never published here. */
  readonly missing: readonly MissingCause[];
  /** False when there is more than `events` and `missing` show; `cut` says where. */
  readonly complete: boolean;
  readonly cut: readonly GraphCut[];
}

/** An event of a graph, without its payload. Times are RFC 3339. */
export interface GraphEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly topic: string;
  readonly priority: PriorityName;
  /** The publisher's time. */
  readonly timestamp: string;
  readonly recordedAt: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** What it is to the event that was asked about: a cause or an effect over any number of steps, or of the same flow. */
  readonly relation: 'asked' | 'cause' | 'effect' | 'flow';
  /** Steps from the event that was asked about; absent for one that only belongs to its flow. */
  readonly distance?: number;
}

export interface MissingCause {
  readonly id: string;
  /** Ids of the events that followed from it. */
  readonly namedBy: readonly string[];
}

/** Where a search ended before everything was found. */
export interface GraphCut {
  readonly direction: 'causes' | 'effects' | 'flow';
  /** The request's `depth`, its `eventsMax`, or the time that one search may take. */
  readonly reason: 'depth' | 'events' | 'time';
  /** Events from which it was not followed further; none for a flow. */
  readonly at: readonly string[];
}

export interface GraphBounds {
  readonly depth: number;
  readonly eventsMax: number;
}

const DEPTH_DEFAULT = 10;
const DEPTH_MAX = 100;
const EVENTS_DEFAULT = 500;
const EVENTS_MAX = 5_000;

/** Throws `invalid_query`. */
export function readGraphBounds(request: EventGraphRequest): GraphBounds {
  const { depth = DEPTH_DEFAULT, eventsMax = EVENTS_DEFAULT } = request;
  if (!Number.isInteger(depth) || depth < 0 || depth > DEPTH_MAX) throw outOfRange('depth', 0, DEPTH_MAX);
  if (!Number.isInteger(eventsMax) || eventsMax < 1 || eventsMax > EVENTS_MAX) {
    throw outOfRange('eventsMax', 1, EVENTS_MAX);
  }
  return { depth, eventsMax };
}

function outOfRange(name: keyof GraphBounds, least: number, most: number): EventManagerError {
  const words = `${name} is a whole number from ${least} to ${most}.`;
  return new EventManagerError('invalid_query', words, { pointer: `/${name}` });
}

/**
 * Follows an event along `causationId` in both directions, then gathers its flow.
 *
 * Causes are one chain, since an event names one at most; effects are found level by level, all of a level in one search. An
 * event is taken once, by the first way that leads to it, so cycles (which nothing keeps publishers from making) end where
 * they close. Nearest comes first: when the graph is full, what is cut is what is farthest.
 */
import type { EventStore, Place, Recorded } from '../contracts/event-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { decodeStoredEvent } from '../event/decode-event.ts';
import { parseEventId } from '../event/event-id.ts';
import { priorityName } from '../event/priority.ts';
import { bytesOf, PageSize } from '../page-size.ts';
import type { EventQuery } from '../query/event-query.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { EventGraph, GraphBounds, GraphCut, GraphEvent, MissingCause } from './event-graph.ts';

/** Time for the searches of one graph together. */
const BUDGET_MS = 2_000;
/** Causes asked for in one search: each is a look into every index of the log. */
const CAUSES_AT_ONCE = 100;
const PAGE = { most: 200, bytesMax: 1024 * 1024 };

interface Node {
  readonly place: Place;
  readonly event: GraphEvent;
}

export interface TraceOptions {
  readonly store: EventStore;
  readonly runtime: Pick<Runtime, 'clock' | 'timers'>;
  readonly bounds: GraphBounds;
}

/** Throws `event_not_found`. */
export async function traceEvent(options: TraceOptions, eventId: string): Promise<EventGraph> {
  const id = parseEventId(eventId);
  const [record] = id === undefined ? [] : await options.store.get([id]);
  if (!record) throw new EventManagerError('event_not_found', 'No event with this id is kept.');
  return new Trace(options, record).run();
}

class Trace {
  readonly #options: TraceOptions;
  readonly #asked: GraphEvent;
  readonly #nodes = new Map<string, Node>();
  readonly #cuts: GraphCut[] = [];
  readonly #deadlineMs: number;

  constructor(options: TraceOptions, asked: Recorded) {
    this.#options = options;
    this.#deadlineMs = options.runtime.clock.monotonicMs() + BUDGET_MS;
    this.#asked = this.#take(asked, 'asked', 0);
  }

  async run(): Promise<EventGraph> {
    await this.#causes();
    await this.#effects();
    await this.#flow();
    const missing = await this.#missing();
    const nodes = [...this.#nodes.values()].sort((a, b) => inLogOrder(a.place, b.place));
    const events = nodes.map(({ event }) => event);
    return { id: this.#asked.id, events, missing, complete: this.#cuts.length === 0, cut: this.#cuts };
  }

  async #causes(): Promise<void> {
    let effect = this.#asked;
    for (let distance = 1; ; distance++) {
      const id = causeOf(effect);
      if (id === undefined || this.#nodes.has(id)) return;
      const [record] = await this.#options.store.get([id]);
      if (!record) return;
      if (distance > this.#options.bounds.depth) return this.#cut('causes', 'depth', [effect.id]);
      if (this.#isFull) return this.#cut('causes', 'events', [effect.id]);
      if (this.#isLate) return this.#cut('causes', 'time', [effect.id]);
      effect = this.#take(record, 'cause', distance);
    }
  }

  async #effects(): Promise<void> {
    let level = [this.#asked.id];
    const followed = new Set(level);
    for (let distance = 1; level.length > 0; distance++) {
      const next: string[] = [];
      for (let at = 0; at < level.length; at += CAUSES_AT_ONCE) {
        const causes = level.slice(at, at + CAUSES_AT_ONCE);
        // Ids come in lower case out of the bus; some publishers write all of theirs in capitals.
        const causationIds = causes.flatMap((id) => [id, id.toUpperCase()]);
        const ending = await this.#search({ causationIds }, (record) => {
          if (followed.has(record.id)) return undefined;
          // A cause that is an effect as well closes a cycle, and what else followed from it is an effect, too.
          if (!this.#nodes.has(record.id)) {
            if (distance > this.#options.bounds.depth) return 'depth';
            if (this.#isFull) return 'events';
            this.#take(record, 'effect', distance);
          }
          followed.add(record.id);
          next.push(record.id);
          return undefined;
        });
        if (ending !== undefined) return this.#cut('effects', ending, level.slice(at));
      }
      level = next;
    }
  }

  async #flow(): Promise<void> {
    const flow = this.#asked.correlationId ?? this.#asked.id;
    const takeOne = (record: Recorded): GraphCut['reason'] | undefined => {
      if (this.#nodes.has(record.id)) return undefined;
      if (this.#isFull) return 'events';
      this.#take(record, 'flow');
      return undefined;
    };
    // By a wide-spread convention a flow is named after the event that began it.
    const beginning = parseEventId(flow);
    if (beginning !== undefined) {
      const [record] = await this.#options.store.get([beginning]);
      if (record && takeOne(record) !== undefined) return this.#cut('flow', 'events', []);
    }
    const ending = await this.#search({ correlationId: flow }, takeOne);
    if (ending !== undefined) this.#cut('flow', ending, []);
  }

  /** Hands over each event that is found until one is refused; says why the search ended early. */
  async #search(
    query: EventQuery,
    take: (record: Recorded) => GraphCut['reason'] | undefined,
  ): Promise<GraphCut['reason'] | undefined> {
    const { store, runtime } = this.#options;
    const size = new PageSize(PAGE);
    for (let after: Place | undefined; ; ) {
      const budgetMs = this.#deadlineMs - runtime.clock.monotonicMs();
      if (budgetMs <= 0) return 'time';
      const { limit } = size;
      const page = { limit, direction: 'forward', budgetMs, ...(after === undefined ? {} : { after }) } as const;
      const { records, next } = await store.find(query, page);
      size.saw(records.length, bytesOf(records));
      for (const record of records) {
        const refusal = take(record);
        if (refusal !== undefined) return refusal;
      }
      if (next === undefined) return undefined;
      after = next;
      await new Promise<void>((resolve) => runtime.timers.soon(resolve));
    }
  }

  async #missing(): Promise<readonly MissingCause[]> {
    const namedBy = new Map<string, string[]>();
    for (const { event } of this.#nodes.values()) {
      const cause = event.causationId;
      if (cause === undefined || this.#nodes.has(causeOf(event) ?? '')) continue;
      const others = namedBy.get(cause);
      if (others) others.push(event.id);
      else namedBy.set(cause, [event.id]);
    }
    const named = [...namedBy].map(([id, by]) => ({ id, known: parseEventId(id), namedBy: by }));
    const ids = named.flatMap(({ known }) => (known === undefined ? [] : [known]));
    const kept = new Set((await this.#options.store.get(ids)).map((record) => record?.id));
    return named
      .filter(({ known }) => known === undefined || !kept.has(known))
      .map(({ id, namedBy: by }) => ({ id, namedBy: by }));
  }

  #take(record: Recorded, relation: GraphEvent['relation'], distance?: number): GraphEvent {
    const event = describe(record, relation, distance);
    this.#nodes.set(record.id, { place: record.place, event });
    return event;
  }

  #cut(direction: GraphCut['direction'], reason: GraphCut['reason'], at: readonly string[]): void {
    this.#cuts.push({ direction, reason, at });
  }

  get #isFull(): boolean {
    return this.#nodes.size >= this.#options.bounds.eventsMax;
  }

  get #isLate(): boolean {
    return this.#options.runtime.clock.monotonicMs() >= this.#deadlineMs;
  }
}

/** The id of the event that it followed from, if it is one. */
function causeOf({ causationId }: GraphEvent): string | undefined {
  return causationId === undefined ? undefined : parseEventId(causationId);
}

function describe(record: Recorded, relation: GraphEvent['relation'], distance: number | undefined): GraphEvent {
  const { type, source, topic, timestamp, correlationId, causationId } = decodeStoredEvent(record.body);
  return {
    id: record.id,
    ...{ type, source, topic },
    priority: priorityName(record.lane),
    timestamp,
    recordedAt: new Date(record.recordedAtMs).toISOString(),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(causationId === undefined ? {} : { causationId }),
    relation,
    ...(distance === undefined ? {} : { distance }),
  };
}

function inLogOrder(a: Place, b: Place): number {
  return a.partition - b.partition || a.position - b.position;
}

import type { Position } from '../contracts/event-store.ts';
import type { Sink } from '../contracts/sink.ts';
import type { Lease } from '../contracts/state-store.ts';
import type { Event } from '../event/event.ts';
import type { EventPriority, Lane } from '../event/priority.ts';
import { compileFilter, type Filter } from '../filter/filter.ts';
import type { Limits } from '../limits.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { type Pattern, parsePattern } from '../topic/pattern.ts';
import type { Attempt } from './deliver.ts';
import type { HeldLease } from './leases.ts';
import type { LocalQueue } from './local-queue.ts';

/** What became of the deliveries of one subscription since this engine began to serve it. */
export interface DeliveryCounts {
  delivered: number;
  /** Attempts that failed and will be repeated. */
  retried: number;
  deadLettered: number;
  expired: number;
  /** Matched by topic, refused by the filter. */
  skipped: number;
  /** Owed once, but topic, priority or filter do not match any more. */
  withdrawn: number;
  /** Could not be read any more: trimmed or damaged. */
  removed: number;
  /** Late results of attempts that had been given up. */
  stale: number;
}

/** A subscription that this engine serves: its definition, its way out, and what it owes. */
export class ActiveSubscription {
  readonly id: string;
  definition: SubscriptionDefinition;
  pattern: Pattern;
  matches: ((event: Event) => boolean) | undefined;
  /** The lanes that can match at all. */
  wanted: readonly boolean[];
  readonly sink: Sink;
  readonly queue: LocalQueue;
  readonly counts: DeliveryCounts = {
    delivered: 0,
    retried: 0,
    deadLettered: 0,
    expired: 0,
    skipped: 0,
    withdrawn: 0,
    removed: 0,
    stale: 0,
  };
  /** In the order of starting, so the first one has the earliest deadline. */
  readonly attempts = new Set<Attempt>();
  /** Retries that wait for their attempt number to be durable. */
  readonly starting = new Set<Attempt>();
  /** Attempts and retries about to start. */
  slotsTaken = 0;
  /** The right to serve it, where several processes share the store. */
  readonly held: HeldLease | undefined;
  /** False while it is being taken down or changed: nothing more is claimed. */
  isServing = true;
  isLoading = false;
  suspectUnderWay = false;
  deadlineArmed = false;
  /** No claim before this monotonic time: the receiver asked for a pause. */
  pausedUntilMs = 0;
  pauseArmedForMs = 0;
  readonly unreadable = new Set<Position>();

  constructor(options: {
    definition: SubscriptionDefinition;
    sink: Sink;
    queue: LocalQueue;
    limits: Limits;
    held: HeldLease | undefined;
  }) {
    this.id = options.definition.id;
    this.definition = options.definition;
    this.pattern = parsePattern(options.definition.topic, options.limits);
    this.matches = compileMatch(options.definition.filter);
    this.wanted = wantedLanes(options.definition.options.priority);
    this.sink = options.sink;
    this.queue = options.queue;
    this.held = options.held;
  }

  /** An in-process handler that will see the next event without waiting for anybody outside. */
  get attemptsSoon(): boolean {
    return this.isServing && this.definition.sink.kind === 'handler' && this.definition.state === 'active';
  }

  get batchSize(): number {
    return this.sink.single ? 1 : this.definition.options.batchSize;
  }

  get lease(): Lease | undefined {
    return this.held?.lease;
  }

  get concurrencyLeft(): number {
    return this.definition.options.maxConcurrency - this.slotsTaken;
  }

  wants(lane: Lane): boolean {
    return this.wanted[lane]!;
  }

  /** Nothing is under way and nothing that could start now is left. */
  isIdle(): boolean {
    return this.slotsTaken === 0 && this.queue.claimedCount === 0;
  }
}

function compileMatch(filter: Filter | undefined): ((event: Event) => boolean) | undefined {
  return filter && Object.keys(filter).length > 0 ? compileFilter(filter) : undefined;
}

function wantedLanes(minimum: EventPriority | undefined): readonly boolean[] {
  return [0, 1, 2, 3].map((lane) => minimum === undefined || lane <= minimum);
}

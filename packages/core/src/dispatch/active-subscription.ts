import type { ContextCell } from '../context/context-cell.ts';
import type { Position, Recorded } from '../contracts/event-store.ts';
import type { Sink } from '../contracts/sink.ts';
import type { Lease } from '../contracts/state-store.ts';
import type { Event } from '../event/event.ts';
import type { EventPriority, Lane } from '../event/priority.ts';
import { compileFilter, type Filter } from '../filter/filter.ts';
import { filterWork } from '../filter/filter-work.ts';
import type { Limits } from '../limits.ts';
import type { Chance } from '../runtime/chance.ts';
import { SinkGate } from '../sink/sink-gate.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { type Pattern, parsePattern } from '../topic/pattern.ts';
import { Attempts } from './attempts.ts';
import type { Attempt } from './deliver.ts';
import { type DeliveryCounts, noCounts } from './delivery-counts.ts';
import { type Receiver, receiverOf } from './failure/receiver.ts';
import { type Gate, Pause } from './gate.ts';
import type { KeptEvent } from './kept-event.ts';
import type { HeldLease } from './leases.ts';
import type { LocalQueue } from './local-queue.ts';
import type { Aging } from './pace/aging.ts';
import type { RateLimit } from './pace/rate-limit.ts';
import { ReadAhead } from './pace/read-ahead.ts';
import type { RecordedTimes } from './pace/recorded-times.ts';
import { Waits } from './pace/waits.ts';
import type { ProgressGuard } from './progress-guard.ts';
import type { ReplayDuty } from './replay-duty.ts';
import type { TimetableEntry } from './timetable.ts';

/** A subscription that this engine serves: its definition, its way out, and what it owes. */
export class ActiveSubscription {
  readonly id: string;
  definition: SubscriptionDefinition;
  pattern: Pattern;
  matches: ((event: Event) => boolean) | undefined;
  /** What holding an event against it may cost, in small events. */
  readonly filterWork: number;
  /** The lanes that can match at all. */
  wanted: readonly boolean[];
  /** Of several members that share it, or of the one there is: `receive`. */
  sink: Sink;
  /** Receivers of which each may have `maxConcurrency` calls under way; 0 while the last one is leaving. */
  width = 1;
  /** Attempts under way of receivers that left. */
  lingering = 0;
  readonly queue: LocalQueue;
  readonly counts: DeliveryCounts = noCounts();
  /** When an attempt ended, or an event was passed over, on the monotonic clock; 0 when neither happened yet. */
  progressAtMs = 0;
  /** In the order of starting, so the first one has the earliest deadline. */
  readonly attempts = new Attempts();
  /** Retries that wait for their attempt number to be durable. */
  readonly starting = new Set<Attempt>();
  /** Attempts and retries about to start. */
  slotsTaken = 0;
  /** The right to serve it, where several processes share the store. */
  readonly held: HeldLease | undefined;
  /** Where several processes share the store: the progress it goes on from. */
  readonly progress: ProgressGuard | undefined;
  /** False while it is being taken down or changed: nothing more is claimed. */
  isServing = true;
  /** It shall pass to another process: nothing more is claimed, unless that does not come about. */
  isYielding = false;
  isLoading = false;
  suspectUnderWay = false;
  /** The next deadline of an attempt, while it is in the timetable. */
  deadlineEntry: TimetableEntry | undefined;
  /** What the receiver asked for. */
  readonly pause: Pause;
  /** All have to be open for a claim. */
  readonly gates: Gate[];
  /** Whose turn it is when lanes grow old; absent where they do not. */
  aging: Aging | undefined;
  /** One of the gates, where the rate is limited. */
  rateLimit: RateLimit | undefined;
  readonly waits = new Waits();
  readonly readAhead = new ReadAhead();
  /** Since when its events are there. */
  readonly times: RecordedTimes;
  /** What is known of whoever takes its deliveries; absent where nobody wants to know. */
  readonly receiver: Receiver | undefined;
  /** A gate was closed when they were asked last. */
  isHeld = false;
  /** The next look at a closed gate, while it is in the timetable. */
  gateEntry: TimetableEntry | undefined;
  readonly unreadable = new Set<Position>();
  /** It delivers once more what another one was owed. */
  readonly replay: ReplayDuty | undefined;
  /** Replays that share its way out. */
  readonly replays = new Set<ActiveSubscription>();
  readonly #totals: DeliveryCounts;

  constructor(options: {
    definition: SubscriptionDefinition;
    /** Where its filter finds whom it works for. */
    known: ContextCell;
    sink: Sink;
    queue: LocalQueue;
    limits: Limits;
    held: HeldLease | undefined;
    progress: ProgressGuard | undefined;
    chance: Chance;
    times: RecordedTimes;
    /** What all subscriptions count together. */
    totals: DeliveryCounts;
    replay?: ReplayDuty | undefined;
  }) {
    this.id = options.definition.id;
    this.definition = options.definition;
    this.pattern = parsePattern(options.definition.topic, options.limits);
    this.matches = compileMatch(options.definition.filter, options.known);
    this.filterWork = filterWork(options.definition.filter);
    this.wanted = wantedLanes(options.definition.options.priority);
    this.sink = options.sink;
    this.queue = options.queue;
    this.held = options.held;
    this.progress = options.progress;
    this.times = options.times;
    this.#totals = options.totals;
    this.replay = options.replay;
    const { shares } = options.replay ?? {};
    this.pause = shares?.pause ?? new Pause();
    this.receiver = shares ? shares.receiver : receiverOf(options.definition, options.chance, options.queue.receiver);
    // Those of the one that it shares with are asked by its own.
    this.gates = [...(shares ? [] : [this.pause]), ...(options.replay?.gates ?? [])];
    if (shares) return;
    if (this.receiver?.breaker) this.gates.push(this.receiver.breaker);
    if (this.sink.watch) this.gates.push(new SinkGate(this.sink));
  }

  /** Whose receiver it is: its own, or that of the subscription whose way out it shares. */
  get receiving(): ActiveSubscription {
    return this.replay?.shares ?? this;
  }

  /** Its attempts under way, and those of its replays. */
  *underWay(): Generator<Attempt> {
    yield* this.attempts;
    for (const replay of this.replays) yield* replay.attempts;
  }

  /** An in-process handler that will see the next event without waiting for anybody outside. */
  get attemptsSoon(): boolean {
    if (!this.isServing || this.isHeld || this.width === 0 || this.definition.state !== 'active') return false;
    return this.definition.sink.kind === 'handler' && this.sink.isUp !== false;
  }

  /** The wall time from which it was owed the event: one that reads the past was not late for it. */
  owedSinceMs({ recordedAtMs }: Recorded): number {
    return Math.max(recordedAtMs, this.definition.createdAtMs);
  }

  /** How long it has been owed the event at `position`, to a grain or so. */
  ageMs(position: Position, wallMs: number): number {
    return Math.max(0, wallMs - Math.max(this.times.timeOf(position) ?? wallMs, this.definition.createdAtMs));
  }

  get batchSize(): number {
    return this.sink.single ? 1 : this.definition.options.batchSize;
  }

  get lease(): Lease | undefined {
    return this.held?.lease;
  }

  get concurrencyLeft(): number {
    return this.definition.options.maxConcurrency * this.width - this.slotsTaken + this.lingering - this.slotsLent;
  }

  /** Calls that its replays have under way: they are as much of a burden to its receivers. */
  get slotsLent(): number {
    let lent = 0;
    for (const { slotsTaken, lingering } of this.replays) lent += slotsTaken - lingering;
    return lent;
  }

  /** A receiver left that has these attempts under way: they count for nobody else. */
  linger(left: ReadonlySet<unknown>): void {
    for (const attempt of this.attempts) {
      if (attempt.lingers || !left.has(attempt)) continue;
      attempt.lingers = true;
      this.lingering++;
    }
    for (const replay of this.replays) replay.linger(left);
  }

  /** From now on `width` receivers share it, through `sink`. */
  receive(sink: Sink, width: number): void {
    this.sink = sink;
    this.width = width;
  }

  /** Its queue needs the event no more. A replay was not offered it as it came, and nobody waits for what it does. */
  doneWith(kept: KeptEvent): void {
    if (!this.replay) kept.done();
  }

  firstAttemptEnded(kept: KeptEvent): void {
    if (!this.replay) kept.firstAttemptEnded();
  }

  /** A gate is closed: whatever waits does not wait for us. */
  isHeldBack(nowMs: number): boolean {
    return this.gates.some((gate) => gate.room(nowMs) <= 0);
  }

  /** Here and in the totals, which outlive this service. */
  count(what: keyof DeliveryCounts, more = 1): void {
    this.counts[what] += more;
    this.#totals[what] += more;
  }

  wants(lane: Lane): boolean {
    return this.wanted[lane]!;
  }

  /** Nothing is under way and nothing that could start now is left. */
  isIdle(): boolean {
    return this.slotsTaken === 0 && this.queue.claimedCount === 0;
  }
}

function compileMatch(filter: Filter | undefined, known: ContextCell): ((event: Event) => boolean) | undefined {
  return filter && Object.keys(filter).length > 0 ? compileFilter(filter, known) : undefined;
}

function wantedLanes(minimum: EventPriority | undefined): readonly boolean[] {
  return [0, 1, 2, 3].map((lane) => minimum === undefined || lane <= minimum);
}

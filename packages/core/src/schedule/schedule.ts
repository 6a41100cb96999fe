/**
 * Events that are to be delivered later: accepted durably, kept in the state store, appended to the log when their time has
 * come. Until then they are nobody's debt; afterwards they are events like any other, under the id they were accepted with.
 *
 * `schema`, topic and limits are judged when an event is accepted, and not again: an answer that was given holds.
 */
import type { Appendable, EventStore } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import type { Timetable } from '../dispatch/timetable.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { parseEventId } from '../event/event-id.ts';
import type { Waiting } from '../ingest/acknowledge.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { DueWindow } from './due-window.ts';
import { KnownIds } from './known-ids.ts';
import { type DueOutcome, PublishDue } from './publish-due.ts';
import { noScheduleCounts, type ScheduleCounts } from './schedule-counts.ts';
import { isScheduled, readDueKey, removalChanges, type ScheduleRecord } from './schedule-record.ts';
import {
  describeScheduled,
  describeWithContent,
  type ScheduledEvent,
  type ScheduledEventWithContent,
} from './scheduled-event.ts';
import { TakeScheduled } from './take-scheduled.ts';

const ALL_PAGE = 500;
const LOOK_AGAIN_MS = 200;

export interface ScheduleOptions {
  readonly store: EventStore;
  readonly state: StateStore;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly meter: Meter;
  readonly timetable: Timetable;
  /** Set where several processes share the store; distinguishes this one. */
  readonly sharedAs: string | undefined;
  /** The end of the log, as a cursor. */
  readonly cursor: () => string;
  /** Resolves when everything handed in before is stored or refused. */
  readonly stored: () => Promise<void>;
  /** The store stopped after a failure. */
  readonly isFailed: () => boolean;
  readonly append: (event: Appendable) => Promise<unknown>;
  readonly passOn: (waiting: Waiting) => void;
  readonly onAnswered: (group: readonly Waiting[]) => void;
  /** Could not be appended when its time had come. */
  readonly onRefused: (scheduled: ScheduledEvent, error: EventManagerError) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface ScheduledPage {
  readonly scheduled: readonly ScheduledEvent[];
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
}

export class Schedule {
  readonly counts: ScheduleCounts = noScheduleCounts();
  readonly #options: ScheduleOptions;
  readonly #window: DueWindow;
  readonly #known: KnownIds;
  readonly #taking: TakeScheduled;
  readonly #publishing: PublishDue;
  readonly #cancelling = new Map<string, Promise<boolean>>();

  constructor(options: ScheduleOptions) {
    const { state, runtime, meter, timetable, sharedAs, append, onFailure } = options;
    this.#options = options;
    this.#window = new DueWindow(state, runtime.clock);
    this.#known = new KnownIds({
      ...{ state, timers: runtime.timers, isShared: sharedAs !== undefined, onFailure },
      onCounted: (count) => {
        this.counts.waiting = count;
      },
    });
    const { store, limits, stored, isFailed, cursor, passOn, onAnswered } = options;
    this.#taking = new TakeScheduled(
      {
        ...{ store, state, runtime, limits, stored, isFailed, cursor, passOn, onAnswered },
        count: () => this.counts.waiting,
        onTaken: ({ id, deliverAtMs, body }) => this.#taken(id, deliverAtMs, body.length),
        onRefused: (error) => void meter.refused(error),
        onDuplicate: () => void meter.duplicates++,
      },
      onFailure,
    );
    const onDone = (id: string, outcome: DueOutcome, record: ScheduleRecord, error?: EventManagerError) =>
      this.#done(id, outcome, record, error);
    const window = this.#window;
    this.#publishing = new PublishDue({ state, runtime, window, timetable, sharedAs, append, onDone, onFailure });
  }

  /** Nothing that is due is left to append, as far as this process knows. */
  get isIdle(): boolean {
    return this.#publishing.isIdle;
  }

  /** Counts what is kept, and publishes what came due while nobody was here. */
  async start(): Promise<void> {
    await this.#known.count();
    this.#publishing.poke();
  }

  /** Another process may have scheduled or cancelled something. */
  poke(): void {
    if (this.#options.sharedAs !== undefined) this.#publishing.poke();
  }

  async stop(): Promise<void> {
    await this.#taking.stop();
    await this.#publishing.stop();
    await this.#known.stop();
  }

  /** True for an event that `take` has to look at before the store may have it. The hot path: nothing is scheduled. */
  concerns(event: Appendable): boolean {
    return isScheduled(event) || this.#known.mayHold(event.id) || this.#taking.isTaking(event.id);
  }

  /** Answers the publisher, or passes the event on to the store. */
  take(waiting: Waiting): void {
    this.#taking.take(waiting);
  }

  /** What waits for its time, the earliest first. */
  async page(
    _principal: Principal,
    request: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<ScheduledPage> {
    const { state } = this.#options;
    const { after, limit } = request;
    const { entries, next } = await state.load('schedule-due', { limit, ...(after === undefined ? {} : { after }) });
    const kept = entries.map(({ key }) => readDueKey(key));
    const records = await state.get(
      'schedule-event',
      kept.map(({ id }) => id),
    );
    const published = await this.#published(kept);
    const scheduled = kept.flatMap(({ id }, at) => {
      const record = records[at]?.value as unknown as ScheduleRecord | undefined;
      return record && !published.has(id) ? [describeScheduled(id, record)] : [];
    });
    return next === undefined ? { scheduled } : { scheduled, next };
  }

  /** All of them. */
  async all(principal: Principal): Promise<readonly ScheduledEvent[]> {
    const { timers } = this.#options.runtime;
    const all: ScheduledEvent[] = [];
    let after: string | undefined;
    do {
      const page = await this.page(principal, { after, limit: ALL_PAGE });
      all.push(...page.scheduled);
      after = page.next;
      // A hundred thousand of them at once would hold up everybody else.
      if (after !== undefined) await new Promise<void>((resolve) => timers.soon(resolve));
    } while (after !== undefined);
    return all;
  }

  /** Throws `scheduled_not_found`, also for an event whose time has come. */
  async get(_principal: Principal, id: string): Promise<ScheduledEventWithContent> {
    const [found] = await this.#options.state.get('schedule-event', [knownId(id)]);
    if (!found) throw notFound(id);
    const record = found.value as unknown as ScheduleRecord;
    if ((await this.#published([{ id: found.key, dueMs: record.dueMs }])).size > 0) throw notFound(id);
    return describeWithContent(found.key, record);
  }

  /**
   * Resolves with true when it was in time: nobody will ever see the event. With false when the event is published already.
   * Throws `scheduled_not_found` when neither is known.
   */
  async cancel(_principal: Principal, given: string): Promise<boolean> {
    const id = knownId(given);
    const under = this.#cancelling.get(id);
    if (under) return under;
    const cancelling = this.#cancelOrWait(id);
    this.#cancelling.set(id, cancelling);
    try {
      return await cancelling;
    } finally {
      this.#cancelling.delete(id);
    }
  }

  /** Between two looks it is not held: whoever takes over from a process that began to publish and died may be this one. */
  async #cancelOrWait(id: string): Promise<boolean> {
    const { timers } = this.#options.runtime;
    for (;;) {
      const isInTime = await this.#publishing.holding(id, () => this.#cancel(id));
      if (isInTime !== undefined) return isInTime;
      await new Promise<void>((resolve) => timers.after(LOOK_AGAIN_MS, resolve, true));
    }
  }

  /** `undefined` while another process is about to append it, or whoever takes over from that one. */
  async #cancel(id: string): Promise<boolean | undefined> {
    const { state, store } = this.#options;
    for (;;) {
      const [found] = await state.get('schedule-event', [id]);
      // A crash may have come between appending and forgetting.
      const [stored] = await store.get([id]);
      if (!found && !stored) throw notFound(id);
      if (!found) return false;
      const { dueMs, begun } = found.value as unknown as ScheduleRecord;
      if (begun && !stored) return undefined;
      const [event, due] = removalChanges(dueMs, id);
      try {
        await state.commit([{ ...event!, ifRevision: found.revision }, due!]);
      } catch (error) {
        // Another process published or cancelled it meanwhile.
        if (isEventManagerError(error, 'revision_conflict')) continue;
        throw error;
      }
      this.#forgotten(id);
      this.#window.remove(due!.key);
      this.counts[stored ? 'published' : 'cancelled']++;
      return stored === undefined;
    }
  }

  /** Those that are in the log and not forgotten yet: somebody may have got them already, for whom they wait no more. */
  async #published(kept: readonly { readonly id: string; readonly dueMs: number }[]): Promise<ReadonlySet<string>> {
    const { store, runtime } = this.#options;
    const wallMs = runtime.clock.wallMs();
    const due = kept.filter(({ dueMs }) => dueMs <= wallMs).map(({ id }) => id);
    if (due.length === 0) return new Set();
    const stored = await store.get(due);
    return new Set(due.filter((_, at) => stored[at] !== undefined));
  }

  #taken(id: string, dueMs: number, bytes: number): void {
    this.#known.add(id);
    this.counts.waiting++;
    this.counts.accepted++;
    this.#window.insert(dueMs, id, bytes);
    this.#publishing.poke();
  }

  #done(id: string, outcome: DueOutcome, record: ScheduleRecord, error: EventManagerError | undefined): void {
    this.#forgotten(id);
    this.counts[outcome]++;
    if (error) this.#options.onRefused(describeScheduled(id, record), error);
  }

  #forgotten(id: string): void {
    this.#known.remove(id);
    if (this.counts.waiting > 0) this.counts.waiting--;
  }
}

function knownId(given: string): string {
  const id = parseEventId(given);
  if (id === undefined) throw notFound(given);
  return id;
}

function notFound(id: string): EventManagerError {
  return new EventManagerError('scheduled_not_found', 'No event with this id waits for its time.', { id });
}

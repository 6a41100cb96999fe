/**
 * The acceptance of events that are to be delivered later, and of others whose id may be one of theirs.
 *
 *     handed in ──its turn──▶ looked up: in the log? scheduled already? ──▶ duplicate or conflict
 *                                            └── neither ──▶ committed, durably ──▶ acknowledged
 *
 * What was handed in during one turn of the event loop shares its look-ups and its commit. The look begins after everything
 * handed in before is in the log, and what is published under the same id afterwards comes here too: so one id is never
 * both stored and scheduled by one process. Two processes that share a store may do it; then the log answers the later append
 * as a duplicate.
 */
import type { EventStore, Recorded } from '../contracts/event-store.ts';
import type { StateEntry, StateStore } from '../contracts/state-store.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { encodeEvent } from '../event/encode-event.ts';
import { sameContent } from '../event/same-content.ts';
import type { Waiting } from '../ingest/acknowledge.ts';
import { Published } from '../ingest/publish-result.ts';
import type { Limits } from '../limits.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isScheduled, type ScheduledAppendable, type ScheduleRecord, scheduleChanges } from './schedule-record.ts';

/** Looked up together. */
const GROUP_BYTES_MAX = 1024 * 1024;
const GROUP_MAX = 1_000;
/** A store may have to read a whole commit to find one of its events. */
const COMMIT_BYTES_MAX = 16 * 1024;

export interface TakeScheduledOptions {
  readonly store: EventStore;
  readonly state: StateStore;
  readonly runtime: Runtime;
  readonly limits: Limits;
  /** Resolves when everything handed in before is stored or refused. */
  readonly stored: () => Promise<void>;
  /** The store stopped after a failure: nothing is acknowledged any more, not even what it has kept. */
  readonly isFailed: () => boolean;
  /** Scheduled events that are kept. */
  readonly count: () => number;
  /** The end of the log, as a cursor. */
  readonly cursor: () => string;
  /** An event that is not scheduled and may be appended. */
  readonly passOn: (waiting: Waiting) => void;
  /** Kept durably from now on. */
  readonly onTaken: (event: ScheduledAppendable) => void;
  /** Whoever handed them in knows. */
  readonly onAnswered: (group: readonly Waiting[]) => void;
  readonly onRefused: (error: unknown) => void;
  readonly onDuplicate: () => void;
}

type FreshEvent = Waiting & { readonly event: ScheduledAppendable };

export class TakeScheduled {
  readonly #options: TakeScheduledOptions;
  readonly #taking: OneAtATime;
  #waiting: Waiting[] = [];
  /** Ids that were handed in and are not durable yet. */
  readonly #ids = new Set<string>();

  constructor(options: TakeScheduledOptions, onFailure: (error: unknown) => void) {
    this.#options = options;
    this.#taking = new OneAtATime(() => this.#takeAll(), onFailure);
  }

  /** An event of this id is on its way to be scheduled. */
  isTaking(id: string): boolean {
    return this.#ids.size > 0 && this.#ids.has(id);
  }

  take(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (isScheduled(waiting.event)) this.#ids.add(waiting.event.id);
    this.#taking.poke();
  }

  async stop(): Promise<void> {
    await this.#taking.stop();
  }

  async #takeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#options.stored();
      const group = this.#nextGroup();
      let left: readonly Waiting[] = group;
      try {
        left = await this.#judge(group);
        // Another process scheduled one of the ids meanwhile: what there is of it is looked up again.
        while (left.length > 0) left = await this.#judge(left);
      } catch (error) {
        for (const waiting of left) this.#refuse(waiting, error);
      }
      for (const { event } of group) this.#ids.delete(event.id);
      // A later event of the same id may wait still.
      for (const { event } of this.#waiting) if (isScheduled(event)) this.#ids.add(event.id);
    }
  }

  #nextGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && count < GROUP_MAX && bytes < GROUP_BYTES_MAX) {
      bytes += this.#waiting[count++]!.event.body.length;
    }
    return this.#waiting.splice(0, count);
  }

  /** Answers all of them, or returns those that have to be looked at again. */
  async #judge(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { store, state, isFailed, count, limits } = this.#options;
    const ids = group.map(({ event }) => event.id);
    // In this order: what is published meanwhile leaves here only when it is there.
    const kept = await state.get('schedule-event', ids);
    const stored = await store.get(ids);
    if (isFailed()) throw new EventManagerError('store_failed', 'The store stopped after a failure.');
    const fresh = new Map<string, FreshEvent>();
    const followers: Waiting[] = [];
    for (let at = 0; at < group.length; at++) {
      const waiting = group[at]!;
      const { event } = waiting;
      if (this.#isAnswered(waiting, stored[at], kept[at])) continue;
      if (fresh.has(event.id)) followers.push(waiting);
      else if (!isScheduled(event)) this.#options.passOn(waiting);
      else if (count() + fresh.size >= limits.scheduledMax) this.#refuse(waiting, tooMany(limits.scheduledMax));
      else fresh.set(event.id, { ...waiting, event });
    }
    const left = await Promise.all(commitsOf([...fresh.values()]).map((commit) => this.#commit(commit)));
    return [...left.flat(), ...followers];
  }

  /** Makes them durable and answers, or returns them when one of the ids came to be known meanwhile. */
  async #commit(fresh: readonly FreshEvent[]): Promise<readonly Waiting[]> {
    const { state, runtime, onTaken } = this.#options;
    const acceptedMs = Math.floor(runtime.clock.wallMs());
    runtime.failpoint('schedule.before-commit');
    try {
      await state.commit(fresh.flatMap(({ event }) => scheduleChanges(event, acceptedMs)));
    } catch (error) {
      if (isEventManagerError(error, 'revision_conflict')) return fresh;
      for (const waiting of fresh) this.#refuse(waiting, error);
      return [];
    }
    runtime.failpoint('schedule.after-commit');
    for (const waiting of fresh) {
      onTaken(waiting.event);
      this.#resolve(waiting, waiting.event.deliverAtMs, false);
    }
    return [];
  }

  /** True when the id belongs to an event that is stored or scheduled. */
  #isAnswered(waiting: Waiting, stored: Recorded | undefined, kept: StateEntry | undefined): boolean {
    const { event } = waiting;
    if (stored) {
      if (!sameContent(stored.body, event.body)) this.#refuse(waiting, conflictOf(waiting));
      else this.#duplicate(waiting, () => new Published(event.id, stored.place, true));
      return true;
    }
    if (!kept) return false;
    const record = kept.value as unknown as ScheduleRecord;
    if (!sameContent(encodeEvent(record.body), event.body)) this.#refuse(waiting, conflictOf(waiting));
    else {
      this.#options.onDuplicate();
      this.#resolve(waiting, record.dueMs, true);
    }
    return true;
  }

  #duplicate(waiting: Waiting, result: () => Published): void {
    this.#options.onDuplicate();
    waiting.resolve(result(), waiting.at);
    this.#options.onAnswered([waiting]);
  }

  #resolve(waiting: Waiting, dueMs: number, duplicate: boolean): void {
    const scheduledFor = new Date(dueMs).toISOString();
    const { id } = waiting.event;
    waiting.resolve({ id, cursor: this.#options.cursor(), duplicate, scheduledFor }, waiting.at);
    this.#options.onAnswered([waiting]);
  }

  #refuse(waiting: Waiting, error: unknown): void {
    this.#options.onRefused(error);
    waiting.reject(error, waiting.at);
    this.#options.onAnswered([waiting]);
  }
}

/** Parts that are committed one by one, and together by a store that groups commits. */
function commitsOf(fresh: readonly FreshEvent[]): FreshEvent[][] {
  const commits: FreshEvent[][] = [];
  let bytes = COMMIT_BYTES_MAX;
  for (const waiting of fresh) {
    if (bytes >= COMMIT_BYTES_MAX) {
      commits.push([]);
      bytes = 0;
    }
    commits.at(-1)!.push(waiting);
    bytes += waiting.event.body.length;
  }
  return commits;
}

function conflictOf({ event, pointer }: Waiting): EventManagerError {
  const words = 'The id belongs to an event with other content.';
  return new EventManagerError('id_conflict', words, { pointer: `${pointer}/id`, id: event.id });
}

function tooMany(limit: number): EventManagerError {
  return new EventManagerError('too_many_scheduled', `${limit} events are scheduled already.`, { limit });
}

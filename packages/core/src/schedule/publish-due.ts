/**
 * Appends scheduled events when their time has come, and forgets them.
 *
 *     kept ──due──▶ publishing ──appended, expired or impossible──▶ forgotten
 *       ▲               └── the log takes nothing now ──▶ kept, tried again
 *       └─ a crash in between: appended once more under the same id, which the log answers as a duplicate
 *
 * A cancellation removes what is kept and comes too late for what is being published: whoever is told that it was in time
 * never sees the event. Where several processes share a store, only the holder of a lease publishes; that saves work and no
 * more, since appending twice does no harm. There publishing begins with a commit that says so in the record which a
 * cancellation would remove, so the store decides which of the two came first.
 */
import type { Appendable } from '../contracts/event-store.ts';
import type { Lease, Revision, StateChange, StateEntry, StateStore } from '../contracts/state-store.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import type { Timetable, TimetableEntry } from '../dispatch/timetable.ts';
import { type EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { foreignEventId } from '../event/foreign-event-id.ts';
import type { JsonObject } from '../json.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { callAsBus } from '../sink/handler-calls.ts';
import type { DueEntry, DueWindow } from './due-window.ts';
import { appendableOf, isExpired, removalChanges, type ScheduleRecord } from './schedule-record.ts';

const GROUP_MAX = 200;
/** Of the bodies that are in memory and of one append. */
const GROUP_BYTES_MAX = 1024 * 1024;
const AGAIN_AFTER_MS = 1_000;
/** Timers of some platforms cannot wait for a month. */
const LOOK_AT_LEAST_EVERY_MS = 60 * 60 * 1_000;
const LEASE = 'schedule';
const LEASE_TTL_MS = 10_000;

/** What became of a due event. */
export type DueOutcome = 'published' | 'expired' | 'refused';

export interface PublishDueOptions {
  readonly state: StateStore;
  readonly runtime: Runtime;
  readonly window: DueWindow;
  /** The timetable of the engine: one entry of it is ours. */
  readonly timetable: Timetable;
  /** Set where several processes share the store; distinguishes this one. */
  readonly sharedAs: string | undefined;
  readonly append: (event: Appendable) => Promise<unknown>;
  /** Durably forgotten. `error` says why it could not be appended. */
  readonly onDone: (id: string, outcome: DueOutcome, record: ScheduleRecord, error?: EventManagerError) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Publishing {
  readonly entry: DueEntry;
  readonly record: ScheduleRecord;
}

interface Begun {
  readonly publishing: readonly Publishing[];
  /** Of these nothing is kept for that time any more: cancelled, and perhaps scheduled anew, while they were looked up. */
  readonly over: readonly DueEntry[];
}

export class PublishDue {
  readonly #options: PublishDueOptions;
  readonly #running: OneAtATime;
  /** Ids that are being published; the promise ends with that. */
  readonly #publishing = new Map<string, Promise<void>>();
  /** Ids that are being cancelled. */
  readonly #held = new Set<string>();
  #armed: TimetableEntry | undefined;
  #isTroubled = false;
  #lease: Lease | undefined;

  constructor(options: PublishDueOptions) {
    this.#options = options;
    this.#running = new OneAtATime(() => callAsBus(() => this.#run()), options.onFailure);
  }

  /** Nothing that is due is left, as far as this process knows. */
  get isIdle(): boolean {
    return this.#running.isIdle && !this.#isTroubled;
  }

  /** Something may be due, or be due earlier than what is armed. */
  poke(): void {
    this.#running.poke();
  }

  /**
   * Keeps `id` from being published while `work` runs. When it is being published, waits for the end of that first.
   * Works of one id are not to run side by side.
   */
  async holding<T>(id: string, work: () => Promise<T>): Promise<T> {
    for (let under = this.#publishing.get(id); under; under = this.#publishing.get(id)) await under;
    this.#held.add(id);
    try {
      return await work();
    } finally {
      this.#held.delete(id);
      this.poke();
    }
  }

  async stop(): Promise<void> {
    await this.#running.stop();
    this.#disarm();
    const lease = this.#lease;
    this.#lease = undefined;
    // A store that is away by now lets it run out.
    if (lease) await this.#options.state.release([lease]).catch(() => {});
  }

  async #run(): Promise<void> {
    const { window, runtime, sharedAs } = this.#options;
    this.#disarm();
    try {
      if (sharedAs !== undefined) window.forget();
      while (!this.#running.isStopped) {
        await window.fill();
        const due = this.#nextGroup(window.due(runtime.clock.monotonicMs()));
        if (due.length === 0 || !(await this.#mayPublish())) break;
        await this.#publishGroup(due);
        // A hundred thousand may be due at once, and a store that keeps them in memory waits for nothing.
        await new Promise<void>((resolve) => runtime.timers.soon(resolve));
      }
      this.#isTroubled = false;
      this.#arm(window.nextAtMs((id) => !this.#held.has(id)));
    } catch (error) {
      // A full disk, or an engine that is closing: everything is kept.
      if (!isEventManagerError(error)) throw error;
      this.#isTroubled = true;
      this.#arm(runtime.clock.monotonicMs() + AGAIN_AFTER_MS);
    }
  }

  #nextGroup(due: readonly DueEntry[]): DueEntry[] {
    const group: DueEntry[] = [];
    let bytes = 0;
    for (const entry of due) {
      if (this.#held.has(entry.id)) continue;
      if (group.length >= GROUP_MAX || (group.length > 0 && bytes + entry.bytes > GROUP_BYTES_MAX)) break;
      group.push(entry);
      bytes += entry.bytes;
    }
    return group;
  }

  async #publishGroup(group: readonly DueEntry[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const { id } of group) this.#publishing.set(id, promise);
    try {
      const begun = await this.#begin(group);
      const outcomes = await Promise.all(begun.publishing.map((publishing) => this.#publish(publishing)));
      await this.#forget(group, begun, outcomes);
    } finally {
      for (const { id } of group) this.#publishing.delete(id);
      resolve();
    }
  }

  /** Reads the events that are still there, for the time at which they are due. */
  async #begin(group: readonly DueEntry[]): Promise<Begun> {
    const { state, sharedAs } = this.#options;
    const kept = await state.get(
      'schedule-event',
      group.map(({ id }) => id),
    );
    const publishing: Publishing[] = [];
    const over: DueEntry[] = [];
    for (const [at, entry] of group.entries()) {
      const found = kept[at];
      const record = found?.value as unknown as ScheduleRecord | undefined;
      if (!found || record?.dueMs !== entry.dueMs) over.push(entry);
      else if (sharedAs === undefined || record.begun || (await this.#take(found))) publishing.push({ entry, record });
    }
    return { publishing, over };
  }

  /** False when somebody else changed it meanwhile. */
  async #take({ key, value, revision }: StateEntry): Promise<boolean> {
    const begun = { ...(value as JsonObject), begun: true };
    try {
      await this.#options.state.commit([{ kind: 'schedule-event', key, value: begun, ifRevision: revision }]);
      return true;
    } catch (error) {
      if (!isEventManagerError(error, 'revision_conflict')) throw error;
      return false;
    }
  }

  /** Throws what passes; an event that can never be appended must not hold up the others. */
  async #publish({ entry, record }: Publishing): Promise<EventManagerError | DueOutcome> {
    const { clock, planted } = this.#options.runtime;
    if (isExpired(record, clock.wallMs())) return 'expired';
    const isPlanted = planted.has('scheduled-under-another-id');
    const id = isPlanted ? foreignEventId('planted', `${entry.id} ${clock.monotonicMs()}`) : entry.id;
    try {
      await this.#options.append(appendableOf(id, record));
      return 'published';
    } catch (error) {
      if (isEventManagerError(error) && !error.retryable && error.kind !== 'closed') return error;
      throw error;
    }
  }

  async #forget(
    group: readonly DueEntry[],
    { publishing, over }: Begun,
    outcomes: readonly (EventManagerError | DueOutcome)[],
  ): Promise<void> {
    const { state, runtime, window, onDone } = this.#options;
    // What another process took is that one's to forget: it may not be in the log yet.
    const changes: StateChange[] = publishing.flatMap(({ entry }) => removalChanges(entry.dueMs, entry.id));
    runtime.failpoint('schedule.before-removal');
    if (changes.length > 0) await state.commit(changes);
    runtime.failpoint('schedule.after-removal');
    for (const { key } of group) window.remove(key);
    for (const [at, { entry, record }] of publishing.entries()) {
      const outcome = outcomes[at]!;
      if (typeof outcome === 'string') onDone(entry.id, outcome, record);
      else onDone(entry.id, 'refused', record, outcome);
    }
    if (over.length > 0) await this.#forgetOver(over);
  }

  /** By now something may be kept for that very time: an event that is cancelled may be scheduled anew with other content. */
  async #forgetOver(over: readonly DueEntry[]): Promise<void> {
    const { state, window } = this.#options;
    const [keys, ids] = [over.map(({ key }) => key), over.map(({ id }) => id)];
    // In this order: what is scheduled after the first look has another revision, and stays.
    const due = await state.get('schedule-due', keys);
    const kept = await state.get('schedule-event', ids);
    for (const [at, { key, id, dueMs, bytes }] of over.entries()) {
      const record = kept[at]?.value as unknown as ScheduleRecord | undefined;
      const found = due[at];
      if (record?.dueMs === dueMs) window.insert(dueMs, id, bytes);
      else if (found) await this.#forgetUnless(key, found.revision);
    }
  }

  async #forgetUnless(key: string, revision: Revision): Promise<void> {
    try {
      await this.#options.state.commit([{ kind: 'schedule-due', key, ifRevision: revision }]);
    } catch (error) {
      if (!isEventManagerError(error, 'revision_conflict')) throw error;
    }
  }

  /** Asks for the lease, or renews it, where there is one. */
  async #mayPublish(): Promise<boolean> {
    const { state, sharedAs } = this.#options;
    if (sharedAs === undefined) return true;
    if (this.#lease && (await state.renew([this.#lease], { ttlMs: LEASE_TTL_MS })).length > 0) this.#lease = undefined;
    this.#lease ??= (await state.acquire([LEASE], { owner: sharedAs, ttlMs: LEASE_TTL_MS }))[0];
    return this.#lease !== undefined;
  }

  #arm(atMs: number | undefined): void {
    const { timetable, runtime, sharedAs } = this.#options;
    if (this.#running.isStopped || (atMs === undefined && sharedAs === undefined)) return;
    const nowMs = runtime.clock.monotonicMs();
    const latestMs = nowMs + (sharedAs === undefined ? LOOK_AT_LEAST_EVERY_MS : AGAIN_AFTER_MS);
    // Where another process has the lease, what is due stays so until that one has published it.
    const isOthers = sharedAs !== undefined && (atMs === undefined || atMs <= nowMs);
    const dueAtMs = isOthers ? latestMs : Math.min(latestMs, Math.max(nowMs, atMs!));
    const entry = { dueAtMs, due: () => this.poke() };
    this.#armed = entry;
    timetable.add(entry);
  }

  #disarm(): void {
    if (this.#armed) this.#options.timetable.remove(this.#armed);
    this.#armed = undefined;
  }
}

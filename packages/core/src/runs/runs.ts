/**
 * Replays, redrives and discards: what somebody asked for that takes its time.
 *
 * A run is split into parts, one per subscription, and each part is done by the process that serves its subscription, beside
 * its deliveries (`ServedParts`). So nothing needs a coordinator: whoever takes a subscription over takes its parts over, from
 * where they were last durable. Starting, pausing and cancelling only write down what is wanted; the processes that share a
 * store look after it twice a second.
 */
import type { Revision, StateChange, StateStore } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { mayPass } from '../errors/may-pass.ts';
import { createEventIdSource, parseEventId } from '../event/event-id.ts';
import type { Principal } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { RunRooms } from './part-driver.ts';
import { type Run, type RunKind, type RunPart, type RunRecord, type RunsRequest, type RunWord, runOf } from './run.ts';
import { goneChange, type KeptRun, type ReportPage, RunRecords } from './run-records.ts';
import { ServedParts } from './served-parts.ts';

/** Kept of those that have ended; the oldest go first. */
const RUNS_MAX = 1_000;
/** Kept of what was said about one. */
const WORDS_MAX = 100;
const SAY_TRIES_MAX = 5;
const ENDS_WITHIN_MS = 50;

export interface RunsOptions {
  readonly state: StateStore;
  readonly runtime: Runtime;
  /** Other processes may say something, too. */
  readonly isShared: boolean;
  readonly rooms: RunRooms;
  /** Whether there is such a subscription; absent where another process may have one that ends with it. */
  readonly knows?: ((subscriptionId: string) => boolean) | undefined;
  /** It is durable that a run began, stood still, went on or is over. Several processes may tell of the same end. */
  readonly onTold?: ((what: RunTold, run: Run) => void) | undefined;
  readonly onFailure: (error: unknown) => void;
}

export type RunTold = 'started' | 'paused' | 'resumed' | 'ended';

/** What the removal of a subscription means for the runs that it has a part in. */
export interface PartsRemoval {
  /** Ends its parts where they are: to be asked for once it has left service, and committed together with the removal. */
  changes(): Promise<readonly StateChange[]>;
  /** That is durable. */
  removed(): void;
}

export interface RunsPageRequest extends RunsRequest {
  /** The last one of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface RunsPage {
  readonly runs: readonly Run[];
  /** Absent on the last page. */
  readonly next?: string;
}

export interface ReportRequest {
  /** Where the page before ended. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export class Runs {
  readonly #options: RunsOptions;
  readonly #records: RunRecords;
  readonly #nextId: () => string;
  readonly #served = new Map<string, ServedParts>();
  readonly #looking: OneAtATime;
  /** Looks whether a run is over, by its id. */
  readonly #ends = new Map<string, OneAtATime>();
  /** The mark of the last look. */
  #mark: Revision | undefined;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#records = new RunRecords(options.state);
    this.#nextId = createEventIdSource(options.runtime);
    this.#looking = new OneAtATime(() => this.#look(), options.onFailure, options.runtime.timers);
  }

  /** Parts that go on here. */
  get open(): number {
    let open = 0;
    for (const parts of this.#served.values()) open += parts.size;
    return open;
  }

  /** Resolves when it is durable that this shall be done. Throws what the kind throws, and `too_many_runs`. */
  async start(principal: Principal, kind: RunKind, input: unknown): Promise<Run> {
    const room = this.#options.rooms[kind];
    if (!room) throw new EventManagerError('not_supported', `A ${kind} comes with a later version.`);
    const { request, parts, note } = await room.prepare(principal, input);
    const record: RunRecord = {
      ...{ id: this.#nextId(), kind, wanted: 'running', request },
      subscriptionIds: parts.map(({ subscriptionId }) => subscriptionId),
      words: [this.#word('started', principal)],
      ...(note === undefined ? {} : { note }),
    };
    const open = parts.map((part): RunPart => ({ state: 'open', ...part }));
    try {
      await this.#makeRoom();
      await this.#records.create(record, open);
    } catch (error) {
      room.over?.(record);
      throw error;
    }
    for (const part of open) await room.finishUnserved?.(record, part);
    this.#follow(record);
    const run = await this.#describe(record);
    this.#options.onTold?.('started', run);
    if (run.endedAtMs !== undefined) {
      room.over?.(record);
      this.#options.onTold?.('ended', run);
    }
    return run;
  }

  /** Throws `run_not_found`. */
  async get(_principal: Principal, id: string): Promise<Run> {
    return this.#describe((await this.#kept(id)).record);
  }

  /** The newest first. */
  async list(principal: Principal, { kind }: RunsRequest = {}): Promise<readonly Run[]> {
    return (await this.page(principal, { kind, limit: RUNS_MAX })).runs;
  }

  /** The same, at most `limit` of them behind the one of the page before. */
  async page(_principal: Principal, { kind, before, limit }: RunsPageRequest): Promise<RunsPage> {
    const isMeant = ({ record }: KeptRun) =>
      (kind === undefined || record.kind === kind) && (before === undefined || record.id < before);
    const meant = (await this.#records.all()).filter(isMeant).reverse();
    const runs = await Promise.all(meant.slice(0, limit).map(({ record }) => this.#describe(record)));
    return { runs, ...(meant.length > limit ? { next: runs.at(-1)!.id } : {}) };
  }

  /** What a replay gave up on: see `RunRecords.report`. Throws `run_not_found`. */
  async report(_principal: Principal, id: string, { after = '', limit }: ReportRequest): Promise<ReportPage> {
    const { record } = await this.#kept(id);
    return this.#records.report(record.id, after, limit);
  }

  /** Nothing more is begun; what is under way goes on. Throws `run_not_found`, `run_ended`. */
  pause(principal: Principal, id: string): Promise<Run> {
    return this.#say(principal, id, 'paused');
  }

  resume(principal: Principal, id: string): Promise<Run> {
    return this.#say(principal, id, 'resumed');
  }

  /** It ends where it is: what was done stays done. Throws `run_not_found`, `run_ended`. */
  cancel(principal: Principal, id: string): Promise<Run> {
    return this.#say(principal, id, 'cancelled');
  }

  /** Somebody else may have said something. */
  poke(): void {
    if (this.#options.isShared) this.#looking.poke();
  }

  /** A subscription came into service here. */
  served(subscription: ActiveSubscription): void {
    const { state, rooms, runtime, onFailure } = this.#options;
    const { timers } = runtime;
    const onEnded = (id: string) => this.#partEnded(id);
    const parts = new ServedParts({
      ...{ subscription, records: this.#records, rooms, state, timers, onEnded, onFailure },
    });
    this.#served.set(subscription.id, parts);
    parts.look();
  }

  /** It leaves service in order: resolves when nothing of its parts is under way here. */
  async leaving(subscriptionId: string, drainMs: number): Promise<void> {
    const parts = this.#served.get(subscriptionId);
    this.#served.delete(subscriptionId);
    await parts?.stop(drainMs);
  }

  /** It is served by somebody else by now. */
  dropped(subscriptionId: string): void {
    this.#served.get(subscriptionId)?.drop();
    this.#served.delete(subscriptionId);
  }

  /** A subscription is about to leave service for good. What goes on here is further than its records, also when it has stopped. */
  removing(subscriptionId: string): PartsRemoval {
    const served = this.#served.get(subscriptionId);
    let runIds: readonly string[] = [];
    return {
      changes: async () => {
        const open = await this.#records.openParts(subscriptionId);
        runIds = [...open.keys()];
        const endedAtMs = this.#options.runtime.clock.wallMs();
        return [...open].map(([id, part]) => goneChange(id, served?.partOf(id) ?? part, endedAtMs));
      },
      removed: () => {
        for (const id of runIds) this.#partEnded(id);
      },
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#looking, ...this.#ends.values()].map((looking) => looking.stop()));
  }

  async #look(): Promise<void> {
    const mark = await this.#records.mark();
    if (mark === this.#mark) return;
    const runs = await this.#records.all();
    for (const { record } of runs) this.#follow(record);
    this.#mark = mark;
  }

  /** Whoever ends the last part of a run tells of it. Parts that end together, perhaps thousands, are looked at together. */
  #partEnded(id: string): void {
    const { onTold, onFailure, runtime, rooms } = this.#options;
    let look = this.#ends.get(id);
    if (!look) {
      const { timers } = runtime;
      let isTold = false;
      look = new OneAtATime(
        async () => {
          await new Promise<void>((resolve) => timers.after(ENDS_WITHIN_MS, resolve, true));
          const run = isTold ? undefined : await this.#endedRun(id);
          if (!run) return;
          isTold = true;
          this.#ends.delete(id);
          rooms[run.kind]?.over?.(run);
          onTold?.('ended', run);
        },
        onFailure,
        timers,
      );
      this.#ends.set(id, look);
    }
    look.poke();
  }

  /** `undefined` while a part of it is open, and for one that was cancelled, which was told. */
  async #endedRun(id: string): Promise<Run | undefined> {
    try {
      const [kept] = await this.#records.get([id]);
      if (!kept || kept.record.wanted === 'cancelled') return undefined;
      const run = await this.#describe(kept.record);
      return run.endedAtMs === undefined ? undefined : run;
    } catch (error) {
      // That it is over is in its records all the same; one that cannot be read says so to whoever asks for it.
      const isLeft = isEventManagerError(error, 'closed') || isEventManagerError(error, 'corrupt_record');
      if (mayPass(error) || isLeft) return undefined;
      throw error;
    }
  }

  #follow({ subscriptionIds }: RunRecord): void {
    for (const id of subscriptionIds) this.#served.get(id)?.look();
  }

  async #say(principal: Principal, id: string, what: Exclude<RunWord['what'], 'started'>): Promise<Run> {
    for (let tries = 1; ; tries++) {
      const { record: before, revision } = await this.#kept(id);
      const run = await this.#describe(before);
      const wanted = what === 'resumed' ? 'running' : what;
      if (run.state === wanted) return run;
      if (run.endedAtMs !== undefined) {
        throw new EventManagerError('run_ended', `The ${run.kind} has ended: it is ${run.state}.`, { id });
      }
      const record: RunRecord = { ...before, wanted, words: withWord(before.words, this.#word(what, principal)) };
      try {
        await this.#records.say(record, revision);
      } catch (error) {
        if (tries < SAY_TRIES_MAX && isEventManagerError(error, 'revision_conflict')) continue;
        throw error;
      }
      this.#follow(record);
      await Promise.all(record.subscriptionIds.map((of) => this.#served.get(of)?.looked()));
      const after = await this.#describe(record);
      if (what === 'cancelled') this.#options.rooms[record.kind]?.over?.(record);
      this.#options.onTold?.(what === 'cancelled' ? 'ended' : what, after);
      return after;
    }
  }

  async #kept(id: string): Promise<KeptRun> {
    const known = parseEventId(id);
    const [kept] = known === undefined ? [] : await this.#records.get([known]);
    if (!kept) throw new EventManagerError('run_not_found', 'No run with this id is kept.', { id });
    return kept;
  }

  /** What goes on here is further than its records. */
  async #describe(record: RunRecord): Promise<Run> {
    const parts = await this.#records.partsOf(record);
    return runOf(
      record,
      parts.map((part) => this.#served.get(part.subscriptionId)?.partOf(record.id) ?? this.#orGone(part)),
    );
  }

  /** One that ended with its process left nobody to say so. */
  #orGone(part: RunPart): RunPart {
    const { knows } = this.#options;
    return part.state === 'open' && knows?.(part.subscriptionId) === false ? { ...part, state: 'gone' } : part;
  }

  async #makeRoom(): Promise<void> {
    const runs = await this.#records.all();
    if (runs.length < RUNS_MAX) return;
    for (const { record } of runs) {
      if ((await this.#describe(record)).endedAtMs !== undefined) return this.#records.remove(record);
    }
    const details = { maximum: RUNS_MAX };
    throw new EventManagerError('too_many_runs', `There are ${RUNS_MAX} runs that have not ended.`, details);
  }

  #word(what: RunWord['what'], { id }: Principal): RunWord {
    return { what, atMs: this.#options.runtime.clock.wallMs(), by: id };
  }
}

/** Whoever pauses and resumes it by a timer, for months, must not make its record larger and larger. */
function withWord(words: readonly RunWord[], word: RunWord): readonly RunWord[] {
  if (words.length < WORDS_MAX) return [...words, word];
  return [words[0]!, ...words.slice(2 - WORDS_MAX), word];
}

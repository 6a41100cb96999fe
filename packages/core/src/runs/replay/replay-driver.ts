/**
 * Replays one part: the events of a range that one subscription matches, through its way out.
 *
 *                      ┌──others wait, nothing is under way── serving
 *                      ▼                                         ▲
 *     new ──resume──▶ waiting ──its turn──▶ opening ─────────────┘ └──nothing left, durable──▶ ending ──▶ over
 *                        └──────────────────────┴──stop, drop, cancel; or it cannot be opened──▶ over
 *
 * It delivers from a queue of its own, whose progress stands under the run beneath that of the subscription. Each commit of that
 * progress says how the part stands as well, so the counts are true of exactly what is settled, also after a crash: whoever serves the
 * subscription next goes on from there, and delivers again at most what one window had under way. So does this process when it has
 * closed the part for others that wait for their turn (`ReplayTurns`); then nothing was under way, and nothing is delivered again.
 */
import type { EventStore, Position } from '../../contracts/event-store.ts';
import type { StateChange, StateStore } from '../../contracts/state-store.ts';
import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';
import { positionKey } from '../../dispatch/dead-letter.ts';
import type { LocalQueue } from '../../dispatch/local-queue.ts';
import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import type { FailedReplay, ReplayDuty } from '../../dispatch/replay-duty.ts';
import type { ReplayService } from '../../dispatch/replay-service.ts';
import { queueKeys } from '../../dispatch/serve.ts';
import { isEventManagerError } from '../../errors/event-manager-error.ts';
import { mayPass } from '../../errors/may-pass.ts';
import type { JsonObject } from '../../json.ts';
import type { EventQuery } from '../../query/event-query.ts';
import { compileQuery } from '../../query/matches-query.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { callingAttempt } from '../../sink/handler-calls.ts';
import { statePages } from '../../state-pages.ts';
import { isLeft } from '../is-left.ts';
import type { PartAssignment, PartDriver } from '../part-driver.ts';
import type { RunPart } from '../run.ts';
import { partChange, replaysPrefix, reportKey } from '../run-records.ts';
import { BehindLive, RecordedSpeed, RunGate, SharedGates, speedGate } from './replay-gates.ts';
import type { ReplaySpeed } from './replay-request.ts';
import type { ReplayTargets, TargetWay } from './replay-target.ts';
import type { ReplayTurn, ReplayTurns } from './replay-turns.ts';
import { replayedDefinition } from './replayed-definition.ts';
import { replayedSink } from './replayed-sink.ts';

const AGAIN_AFTER_MS = 500;
const DRAIN_MS = 5_000;
const TARGET_GONE = { code: 'target_gone', message: 'The function that was given belongs to a process that is gone.' };
/** Failed deliveries that are kept of one part; the others are counted. */
export const REPORTED_MAX = 1_000;

export interface ReplayPartOptions {
  readonly assignment: PartAssignment;
  readonly dispatch: PartitionDispatch;
  readonly store: Pick<EventStore, 'bounds'>;
  readonly state: StateStore;
  readonly runtime: Runtime;
  readonly targets: Pick<ReplayTargets, 'wayTo'>;
  readonly turns: ReplayTurns;
  /** What the one before it left, for a subscription that ends with the process. */
  readonly left?: LeftReplay | undefined;
  /** Such a subscription leaves service, maybe to come back in a moment: with another definition, say. */
  readonly onLeft: (left: LeftReplay) => void;
  /** Deliveries that succeeded. */
  readonly onReplayed: (count: number) => void;
}

/** How far a part is of which no record says that. */
export interface LeftReplay {
  readonly part: RunPart;
  readonly queue: LocalQueue;
}

/** Where a part stands in the log. */
interface ReplayPlace {
  /** The first and last position of the range. */
  readonly from: Position;
  readonly until: Position;
}

interface DutyOptions extends Pick<ReplayDuty, 'until' | 'shares'> {
  readonly service: ReplayService;
}

export class ReplayDriver implements PartDriver {
  readonly #options: ReplayPartOptions;
  readonly #gate = new RunGate();
  readonly #turn: ReplayTurn;
  /** As it was when it was opened last. */
  #part: RunPart;
  #replay: ActiveSubscription | undefined;
  #service: ReplayService | undefined;
  /** Its own way out, where it has one. */
  #way: TargetWay | undefined;
  #speed: ReturnType<typeof speedGate>;
  /** What was not done of a part that ends with this process, while it is closed. */
  #left: LocalQueue | undefined;
  #opening: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  /** It is being closed for others. */
  #closing: Promise<void> | undefined;
  /** Nothing begins any more. */
  #isOver = false;
  /** It leaves this process: what the store does not take is left to whoever serves the subscription next. */
  #isStopped = false;
  #isEnded = false;
  #told = 0;

  constructor(options: ReplayPartOptions) {
    const { run, part } = options.assignment;
    const gate = this.#gate;
    this.#options = options;
    this.#part = options.left?.part ?? part;
    this.#left = options.left?.queue;
    this.#turn = {
      runId: run.id,
      get isPaused() {
        return !gate.isOpen;
      },
      begin: () => {
        this.#opening = this.#open();
      },
      giveUp: () => void this.#giveUp().catch(options.assignment.onFailure),
    };
    // Also while it is closed: a wait between two events goes on, and is not made twice.
    this.#speed = speedGate(run.request['speed'] as ReplaySpeed, () => this.#nextRecordedAtMs());
  }

  get part(): RunPart {
    const part = this.#part;
    const { counts } = this.#replay ?? {};
    if (!counts) return this.#options.turns.isWaiting(this.#turn) ? { ...part, waiting: true } : part;
    const before = part.counts;
    const removed = (before.removed ?? 0) + counts.removed;
    return {
      ...part,
      counts: {
        ...(before.total === undefined ? {} : { total: before.total }),
        done: before.done + counts.delivered,
        failed: before.failed + counts.deadLettered,
        skipped: before.skipped + counts.skipped + counts.expired + counts.withdrawn,
        ...(removed > 0 ? { removed } : {}),
      },
    };
  }

  resume(): void {
    if (this.#isOver) return;
    if (!this.#gate.isOpen && this.#speed instanceof RecordedSpeed) this.#speed.beginAnew();
    this.#gate.isOpen = true;
    if (this.#replay) this.#options.dispatch.dispatcher.wake(this.#replay);
    else this.#options.turns.ask(this.#turn);
  }

  pause(): void {
    this.#gate.isOpen = false;
    if (this.#options.turns.isWaiting(this.#turn)) this.#options.turns.leave(this.#turn);
  }

  async cancel(): Promise<void> {
    this.#isOver = true;
    await this.#ending;
    if (this.#isEnded) return;
    const ending = this.#end('cancelled');
    // Whoever cancels hears how that failed.
    this.#ending = ending.catch(() => {});
    await ending;
  }

  async stop(drainMs = DRAIN_MS): Promise<void> {
    this.#isOver = true;
    this.#isStopped = true;
    await this.#opening;
    await this.#ending;
    await this.#takeDown(drainMs);
    this.#options.turns.leave(this.#turn);
    const queue = this.#replay?.queue ?? this.#left;
    if (!this.#isEnded && queue && !queue.durable) this.#options.onLeft({ part: this.part, queue });
  }

  drop(): void {
    this.#isOver = true;
    this.#isStopped = true;
    if (this.#replay) this.#service?.drop(this.#replay);
    void this.#closeWay();
    this.#options.turns.leave(this.#turn);
  }

  async #open(): Promise<void> {
    const { dispatch, runtime, assignment } = this.#options;
    try {
      // What a log has lost at its end never comes, and what takes those positions later was not meant.
      const until = Math.min(this.#place.until, await this.#head());
      // Another process may have seen more of the log when it was asked for than this one has.
      await dispatch.route.reach(until);
      if (!this.#isOver) await this.#bringUp(until);
    } catch (error) {
      if (!mayPass(error)) {
        await this.#failToOpen(error).catch(assignment.onFailure);
        return;
      }
      runtime.timers.after(AGAIN_AFTER_MS, () => {
        this.#opening = undefined;
        if (!this.#isOver) this.#opening = this.#open();
      });
    }
  }

  /** What cannot be replayed ends alone: deliveries go on, and so does every other run. */
  async #failToOpen(error: unknown): Promise<void> {
    if (isLeft(error)) return;
    // Nothing can be kept in a store that stopped, not even that.
    if (isEventManagerError(error, 'store_failed')) throw error;
    const { code, message } = isEventManagerError(error) ? error : { code: 'internal', message: String(error) };
    await this.#over({ ...this.part, state: 'failed', error: { code, message } });
  }

  async #head(): Promise<Position> {
    const { dispatch, store } = this.#options;
    return (await store.bounds()).find(({ partition }) => partition === dispatch.partition)?.head ?? 0;
  }

  async #bringUp(until: Position): Promise<void> {
    const { dispatch, assignment } = this.#options;
    const { run, subscription: parent } = assignment;
    const { from } = this.#place;
    const service = dispatch.replayOf({
      until,
      takes: compileQuery(run.request as EventQuery),
      onLost: () => {},
    });
    const { target } = run.request as { readonly target?: JsonObject };
    if (target) this.#way ??= this.#options.targets.wayTo(target, replayedDefinition(parent.definition));
    const way = this.#way;
    if (target && !way) return this.#over({ ...this.part, state: 'failed', error: TARGET_GONE });
    const sink = replayedSink(() => way?.sink ?? parent.sink, { id: run.id });
    const replay = this.#duty(parent, { service, until, shares: way ? undefined : parent });
    const definition = way?.definition ?? replayedDefinition(parent.definition);
    this.#service = service;
    // Planted bug: nothing of its progress is kept.
    const durable = parent.queue.durable && !this.#options.runtime.planted.has('replay-begins-anew');
    const predecessor = this.#left;
    const floor = from - 1;
    const brought = await service.bringUp({ definition, sink, durable, floor, held: parent.held, replay, predecessor });
    this.#told = 0;
    this.#left = undefined;
    if (this.#isOver && !parent.isServing) service.drop(brought);
    else this.#replay = brought;
    dispatch.dispatcher.wake(brought);
  }

  #duty(parent: ActiveSubscription, { service, until, shares }: DutyOptions): ReplayDuty {
    const { dispatch, assignment } = this.#options;
    const { run } = assignment;
    const slotsTaken = () => this.#replay?.slotsTaken ?? 0;
    const shared = shares ? [new BehindLive(shares, slotsTaken), new SharedGates(shares)] : [];
    const gates = [this.#gate, ...shared];
    return {
      shares,
      keys: queueKeys(`${replaysPrefix(parent.id)}${run.id}`, dispatch.partition),
      until,
      gates: this.#speed ? [...gates, this.#speed] : gates,
      served: () => this.#served(),
      drained: () => service.drained(),
      failed: (failed) => this.#failed(failed),
      record: () => partChange(run.id, this.part),
    };
  }

  /** Closes it when nothing is under way, so that another one can be open, and asks for its next turn. */
  async #giveUp(): Promise<void> {
    const { dispatch, turns } = this.#options;
    const replay = this.#replay;
    if (this.#isOver || this.#closing || !replay || replay.isYielding) return;
    const isIdle = await dispatch.dispatcher.yield(replay, replay.definition.options.timeoutMs);
    if (!isIdle || this.#isOver || this.#replay !== replay) return;
    this.#closing = this.#close(replay);
    await this.#closing.finally(() => {
      this.#closing = undefined;
    });
    if (this.#replay) return;
    turns.leave(this.#turn);
    if (!this.#isOver && this.#gate.isOpen) turns.ask(this.#turn);
  }

  async #close(replay: ActiveSubscription): Promise<void> {
    try {
      await this.#service!.takeDown(replay, 0);
    } catch (error) {
      if (!mayPass(error)) throw error;
      // What could not be committed is still in its queue.
      if (this.#isOver) await this.#service!.leave(replay);
      else this.#service!.takeUpAgain(replay);
      return;
    }
    this.#tell();
    this.#part = this.part;
    this.#replay = undefined;
    if (!replay.queue.durable) this.#left = replay.queue;
  }

  #nextRecordedAtMs(): number | undefined {
    const { queue } = this.#replay ?? {};
    const [lane] = queue?.hasReady ? [] : (queue?.lanes ?? []);
    const position = lane?.peek();
    if (position === undefined) return undefined;
    const { bodies } = this.#options.dispatch;
    return bodies.get(position)?.recordedAtMs ?? bodies.times.timeOf(position);
  }

  #failed({ kept, attempts, errors, atMs }: FailedReplay): readonly StateChange[] {
    const { run, subscription } = this.#options.assignment;
    const failed = this.part.counts.failed;
    if (failed >= REPORTED_MAX) return [];
    const value = {
      ...{ subscriptionId: subscription.id, eventId: kept.id, topic: kept.topic, attempts, errors, atMs },
    };
    const key = reportKey(run.id, subscription.id, positionKey(kept.position));
    return [{ kind: 'run-report', key, value: JSON.parse(JSON.stringify(value)) }];
  }

  #served(): void {
    this.#tell();
    const { queue } = this.#replay ?? {};
    if (this.#isOver || this.#ending || !queue?.isSettled() || !queue.isCommitted) return;
    this.#isOver = true;
    this.#ending = this.#end('done').catch(this.#options.assignment.onFailure);
  }

  #tell(): void {
    const delivered = this.#replay?.counts.delivered ?? 0;
    if (delivered > this.#told) this.#options.onReplayed(delivered - this.#told);
    this.#told = delivered;
  }

  /** Takes it down and ends the part, with everything that is kept beside it removed, in one commit. */
  async #end(state: 'done' | 'cancelled'): Promise<void> {
    await this.#opening;
    if (this.#isEnded) return;
    await this.#takeDown(DRAIN_MS);
    // Before anybody asks how the part stands: what is over waits for nothing.
    this.#options.turns.leave(this.#turn);
    await this.#over({ ...(state === 'done' ? wholeOf(this.part) : this.part), state });
  }

  async #over(ended: RunPart): Promise<void> {
    const { assignment, runtime, turns } = this.#options;
    this.#isOver = true;
    turns.leave(this.#turn);
    await this.#closeWay();
    const part = { ...ended, endedAtMs: runtime.clock.wallMs() };
    for (;;) {
      try {
        await assignment.commit(part, await this.#removals());
        break;
      } catch (error) {
        if (isLeft(error)) return;
        if (!mayPass(error)) throw error;
        if (this.#isStopped) return;
        await new Promise<void>((resolve) => runtime.timers.after(AGAIN_AFTER_MS, resolve));
      }
    }
    this.#isEnded = true;
    assignment.onEnded();
  }

  /** What a store that is away did not take is delivered again, as after a crash. */
  async #takeDown(drainMs: number): Promise<void> {
    await this.#closing;
    const replay = this.#replay;
    try {
      if (replay?.isServing) await this.#service!.takeDown(replay, drainMs, callingAttempt());
    } catch (error) {
      if (!mayPass(error)) throw error;
      await this.#service!.leave(replay!);
    } finally {
      await this.#closeWay();
    }
  }

  async #closeWay(): Promise<void> {
    const way = this.#way;
    this.#way = undefined;
    await way?.sink.close().catch(this.#options.assignment.onFailure);
  }

  async #removals(): Promise<readonly StateChange[]> {
    const { assignment, dispatch, state } = this.#options;
    const { subscription, run } = assignment;
    const { progress, owedPrefix } = queueKeys(`${replaysPrefix(subscription.id)}${run.id}`, dispatch.partition);
    const removals: StateChange[] = [{ kind: 'progress', key: progress }];
    for (const kind of ['owed', 'blocked'] as const) {
      for await (const page of statePages(state, kind, owedPrefix)) {
        for (const { key } of page) removals.push({ kind, key });
      }
    }
    return removals;
  }

  get #place(): ReplayPlace {
    return this.#options.assignment.part.at as unknown as ReplayPlace;
  }
}

/**
 * What was there when it was asked for, and not any more when it was read, is counted by what is missing. There may be more than
 * was counted where the subscription has come to match more since.
 */
function wholeOf(part: RunPart): RunPart {
  const { total, done, failed, skipped } = part.counts;
  const looked = done + failed + skipped + (part.counts.removed ?? 0);
  if (total === undefined || total === looked) return part;
  if (total < looked) return { ...part, counts: { ...part.counts, total: looked } };
  return { ...part, counts: { ...part.counts, removed: total - done - failed - skipped } };
}

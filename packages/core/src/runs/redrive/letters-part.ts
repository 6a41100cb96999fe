/**
 * Redrives or discards the letters of one subscription, some at a time:
 *
 *     look ──▶ take up: debts and letters change in memory ──▶ durable ──▶ look, at once or when there is room
 *
 * In one commit are: the debt (a redrive), the state of its letter, and how far the part is. So after a crash either all of it
 * happened to a letter or nothing, and the part goes on behind the last one to which it did. Between the look and the commit no
 * other run may look at letters of the same subscription: they take turns (`LetterTurns`).
 *
 * Debts are put into the queue a moment before they are due, each at a time of its own, and no more of them wait than are due within
 * that moment: so the rate is kept however long a commit takes, a receiver that was slow is not flooded when it is quick again,
 * and a pause is in force at once. They never take more than half of the debts that there may be.
 */
import type { Position } from '../../contracts/event-store.ts';
import type { StateChange } from '../../contracts/state-store.ts';
import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { highestRound } from '../../dispatch/highest-round.ts';
import { OneAtATime } from '../../dispatch/one-at-a-time.ts';
import type { Owed } from '../../dispatch/owed.ts';
import type { PartitionDispatch } from '../../dispatch/partition-dispatch.ts';
import { mayPass } from '../../errors/may-pass.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import { PageSize } from '../../page-size.ts';
import type { Cancel } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { isLeft } from '../is-left.ts';
import type { PartAssignment, PartDriver } from '../part-driver.ts';
import type { RunPart } from '../run.ts';
import { partChange, partKey } from '../run-records.ts';
import { closedBy } from './closed-by.ts';
import type { LetterSelection } from './letter-selection.ts';
import { cursorOf, type FoundLetter, type LetterCursor, LetterSource } from './letter-source.ts';
import type { LetterTurns } from './letter-turns.ts';
import { type SkipReason, takeUp } from './take-up.ts';

/** Letters looked at in one step, and their bytes. */
const LOOK = 200;
const LOOK_BYTES = 1024 * 1024;
/** Bytes of letters in one commit: the queue stops claiming at a megabyte. */
const STEP_BYTES_MAX = 512 * 1024;
/** How long before they are due debts are made. */
const AHEAD_MS = 250;
/** After another process: what it made is due by then. */
const AFTER_OTHERS_MS = 1_000;
/** Bytes of redriven events that wait in memory for one subscription. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
const LOOK_AGAIN_MS = 100;
const COMMIT_AGAIN_MS = 500;
/** Letters whose rounds are asked for in one step, where there is room for fewer. */
const ROUNDS_AT_ONCE = 25;

export interface LettersContext {
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly state: LettersState;
  readonly dispatch: () => PartitionDispatch;
  readonly turns: LetterTurns;
  readonly redrivesMax: number;
}

type LettersState = ConstructorParameters<typeof LetterSource>[0]['state'];

/** The request of a run as it is kept. */
export interface LettersRunRequest {
  readonly selection: LetterSelection;
  readonly rate?: number;
  readonly force?: boolean;
}

/** What a step does, before any of it is done. */
interface Step {
  /** By position: of two letters of one event only one becomes a debt at a time. */
  readonly debts: Map<Position, Owed>;
  readonly changes: StateChange[];
  bytes: number;
  done: number;
  readonly skipped: Map<SkipReason, number>;
  /** Where to go on; `undefined` when nothing is left. */
  next: LetterCursor | undefined;
}

export class LettersPart implements PartDriver {
  part: RunPart;
  readonly #assignment: PartAssignment;
  readonly #context: LettersContext;
  readonly #request: LettersRunRequest;
  readonly #source: LetterSource;
  readonly #steps: OneAtATime;
  readonly #size = new PageSize({ most: LOOK, bytesMax: LOOK_BYTES });
  #isPaused = true;
  #isOver = false;
  /** It goes on from what is durable. */
  #isCaughtUp = false;
  /** In the queue of the subscription, and not known to be durable. */
  #joined: RunPart | undefined;
  #cancelWait: Cancel | undefined;

  constructor(assignment: PartAssignment, context: LettersContext) {
    const { part, run, subscription, onFailure } = assignment;
    const { runtime, state } = context;
    this.part = part;
    this.#assignment = assignment;
    this.#context = context;
    this.#request = run.request as unknown as LettersRunRequest;
    const { selection } = this.#request;
    this.#source = new LetterSource({ state, subscriptionId: subscription.id, runId: run.id, selection });
    this.#steps = new OneAtATime(() => this.#run(), onFailure, runtime.timers);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#steps.poke();
  }

  pause(): void {
    this.#isPaused = true;
    this.#cancelWait?.();
  }

  async cancel(): Promise<void> {
    await this.stop();
    const { subscription } = this.#assignment;
    try {
      // A step that the store refused is made durable by the next commit of the queue: whatever said so before would be overwritten.
      if (this.#joined) await this.#context.dispatch().checkpoint.durable(subscription);
    } catch (error) {
      if (isLeft(error)) return;
      throw error;
    }
    this.part = this.#joined ?? this.part;
    this.#joined = undefined;
    if (this.part.state !== 'open') return;
    const endedAtMs = this.#context.runtime.clock.wallMs();
    const part: RunPart = { ...this.part, state: 'cancelled', endedAtMs, at: {} };
    try {
      await this.#assignment.commit(part);
    } catch (error) {
      if (isLeft(error)) return;
      throw error;
    }
    this.part = part;
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#steps.stop();
  }

  drop(): void {
    this.#end();
    void this.#steps.stop();
  }

  #end(): void {
    this.#isOver = true;
    this.#cancelWait?.();
  }

  get #mayGoOn(): boolean {
    return !this.#isPaused && !this.#isOver;
  }

  async #run(): Promise<void> {
    while (this.#mayGoOn) {
      try {
        const waitMs = await this.#context.turns.take(this.#assignment.subscription, () => this.#step());
        // A store that answers from memory waits for nothing, and others want the loop, too.
        await new Promise<void>((resolve) => this.#context.runtime.timers.soon(resolve));
        if (waitMs === 0 || !this.#mayGoOn) continue;
        this.#cancelWait = this.#context.runtime.timers.after(waitMs, () => this.#steps.poke());
        return;
      } catch (error) {
        if (isLeft(error)) return;
        throw error;
      }
    }
  }

  /** Does what can be done now, durably; returns how long to wait then. */
  async #step(): Promise<number> {
    if (!this.#isCaughtUp && !(await this.#catchUp())) return COMMIT_AGAIN_MS;
    if (!this.#mayGoOn) return 0;
    if (this.part.state !== 'open') return this.#ended();
    const room = this.#room();
    if (room <= 0) return LOOK_AGAIN_MS;
    const cursor = cursorOf(this.part.at);
    const { found, next, looked, bytes } = await this.#source.look(cursor, this.#size.limit);
    this.#size.saw(looked, bytes);
    const rounds = await this.#roundsOf(found, room);
    if (!this.#mayGoOn) return 0;
    const step: Step = { debts: new Map(), changes: [], bytes: 0, done: 0, skipped: new Map(), next };
    for (const letter of found) {
      const isKnown = rounds === 'the next' || rounds.has(letter.key);
      if (step.done >= room || step.bytes >= STEP_BYTES_MAX || !isKnown) {
        step.next = this.#before(letter, found, cursor);
        break;
      }
      const next = letter.letter.round + 1;
      this.#look(letter, rounds === 'the next' ? next : rounds.get(letter.key)!, cursor, step);
    }
    const part = this.#partAfter(step);
    await this.#commit(step, part);
    this.part = part;
    if (part.state !== 'open') this.#ended();
    return this.#isDiscard || this.#room() > 0 ? 0 : LOOK_AGAIN_MS;
  }

  /**
   * A part of the same run may have gone before it in this process, whose last step the store refused: the debts of that are in the
   * queue, and what it says of the part becomes durable with them. Begun from what is kept by now, it would be counted as skipped.
   */
  async #catchUp(): Promise<boolean> {
    const { run, subscription } = this.#assignment;
    if (subscription.queue.durable && !subscription.queue.isCommitted) {
      try {
        await this.#context.dispatch().checkpoint.durable(subscription);
      } catch (error) {
        if (!mayPass(error)) throw error;
        return false;
      }
      const [kept] = await this.#context.state.get('run-part', [partKey(subscription.id, run.id)]);
      if (kept) this.part = kept.value as unknown as RunPart;
    }
    this.#isCaughtUp = true;
    return true;
  }

  #ended(): number {
    this.#end();
    this.#assignment.onEnded();
    return 0;
  }

  /**
   * The round in which each of the first letters goes on. Once the subscription was reset over its letters there may be several of
   * one event: then it is behind all rounds that they tell of.
   */
  async #roundsOf(found: readonly FoundLetter[], room: number): Promise<ReadonlyMap<string, number> | 'the next'> {
    const { firstRound } = this.#assignment.subscription.queue;
    if (this.#isDiscard || firstRound === 0) return 'the next';
    const { state, runtime } = this.#context;
    const { timers } = runtime;
    const asked = found.slice(0, Math.max(room, ROUNDS_AT_ONCE));
    const rounds = asked.map(async ({ key, letter }): Promise<[string, number]> => {
      if (letter.state !== 'open') return [key, letter.round + 1];
      const { subscriptionId, place } = letter;
      const kept = await highestRound({ state, timers }, subscriptionId, place.partition, { at: place.position });
      return [key, Math.max(kept, firstRound) + 1];
    });
    return new Map(await Promise.all(rounds));
  }

  get #isDiscard(): boolean {
    return this.#assignment.run.kind === 'discard';
  }

  #before(letter: FoundLetter, found: readonly FoundLetter[], cursor: LetterCursor): LetterCursor {
    const at = found.indexOf(letter);
    return at === 0 ? cursor : found[at - 1]!.next;
  }

  /** How many letters may be taken up now. */
  #room(): number {
    if (this.#isDiscard) return LOOK;
    const { runtime, limits } = this.#context;
    const { owed } = this.#assignment.subscription.queue;
    const isCapped = !runtime.planted.has('redrive-takes-all-room');
    const left = isCapped ? Math.floor(limits.owedMax / 2) - owed.size : LOOK;
    const { bytes, untried } = this.#redriven();
    if (left <= 0 || bytes >= WAITING_BYTES_MAX) return 0;
    const nowMs = runtime.clock.monotonicMs();
    const moment = (this.#rate * AHEAD_MS) / 1_000;
    const slots = Math.floor((nowMs + AHEAD_MS - this.#slotAtMs(nowMs)) / this.#intervalMs) + 1;
    const free = Math.min(slots, Math.ceil(moment) - untried, left);
    // Few at a time would be many commits.
    return free >= Math.min(left, moment / 2, LOOK) ? Math.max(0, free) : 0;
  }

  get #rate(): number {
    return this.#request.rate!;
  }

  get #intervalMs(): number {
    return 1_000 / this.#rate;
  }

  /** What was redriven and is still owed: bytes of events, and debts that nobody has tried yet. */
  #redriven(): { bytes: number; untried: number } {
    const sum = { bytes: 0, untried: 0 };
    for (const { redriven, failures, started } of this.#assignment.subscription.queue.owed.values()) {
      if (!redriven) continue;
      sum.bytes += redriven.event.length;
      if (failures === 0 && !started) sum.untried++;
    }
    return sum;
  }

  #look({ key, letter }: FoundLetter, round: number, { event }: LetterCursor, step: Step): void {
    const { run, subscription } = this.#assignment;
    const { runtime, redrivesMax } = this.#context;
    const by = run.words[0]!.by;
    const wallMs = runtime.clock.wallMs();
    if (this.#isDiscard) {
      if (letter.state === 'open')
        this.#close(step, key, { ...letter, state: 'discarded', closed: closedBy(run, wallMs) });
      else skip(step, 'not_open');
      return;
    }
    const most = this.#request.force ? Number.POSITIVE_INFINITY : redrivesMax;
    const facts = { runId: run.id, by, event, round, redrivesMax: most, wallMs };
    const isTaken = letter.state === 'open' && step.debts.has(letter.place.position);
    const taken = isTaken ? 'owed_already' : takeUp(subscription, letter, facts);
    if (typeof taken === 'string') {
      skip(step, taken);
      return;
    }
    this.#setDue(taken, wallMs);
    step.debts.set(taken.position, taken);
    const closed = closedBy(run, wallMs, { event, ...(round === letter.round + 1 ? {} : { round }) });
    this.#close(step, key, { ...letter, state: 'redriven', closed });
  }

  #close(step: Step, key: string, letter: DeadLetter): void {
    step.changes.push({ kind: 'dead-letter', key, value: letter as unknown as JsonObject });
    step.bytes += 2 * letter.event.length;
    step.done++;
  }

  /** When the next debt may be due, on the monotonic clock: whichever run of the subscription makes it. */
  #slotAtMs(nowMs: number): number {
    const { subscription } = this.#assignment;
    const known = this.#context.turns.slots.get(subscription);
    if (known !== undefined) return Math.max(nowMs, known);
    // What an earlier process made is due within that time: together they must not be more than the rate.
    const isBegun = [...subscription.queue.owed.values()].some(({ redriven }) => redriven !== undefined);
    const slotAtMs = nowMs + (isBegun ? AFTER_OTHERS_MS : 0);
    this.#context.turns.slots.set(subscription, slotAtMs);
    return slotAtMs;
  }

  /** Each has a time of its own, so that no second has more than the rate. */
  #setDue(owed: Owed, wallMs: number): void {
    const nowMs = this.#context.runtime.clock.monotonicMs();
    owed.dueAtMs = this.#slotAtMs(nowMs);
    this.#context.turns.slots.set(this.#assignment.subscription, owed.dueAtMs + this.#intervalMs);
    owed.delayMs = owed.dueAtMs - nowMs;
    owed.dueWallMs = wallMs + Math.ceil(owed.delayMs);
  }

  #partAfter({ done, skipped, next }: Step): RunPart {
    const { counts, skippedFor } = this.part;
    const reasons = { ...skippedFor };
    let more = 0;
    for (const [reason, count] of skipped) {
      reasons[reason] = (reasons[reason] ?? 0) + count;
      more += count;
    }
    const after = { ...counts, done: counts.done + done, skipped: counts.skipped + more };
    const rest = { ...this.part, counts: after, ...(more > 0 ? { skippedFor: reasons } : {}) };
    if (next) return { ...rest, at: next as JsonObject };
    return { ...rest, state: 'done', endedAtMs: this.#context.runtime.clock.wallMs(), at: {} };
  }

  /** Debts, letters and the part in one commit. Throws `lease_lost`, `closed`. */
  async #commit({ debts: made, changes, bytes }: Step, part: RunPart): Promise<void> {
    const debts = [...made.values()];
    const { run, subscription } = this.#assignment;
    const { runtime } = this.#context;
    const { dispatcher, checkpoint } = this.#context.dispatch();
    const { queue } = subscription;
    const ended = () => this.#releaseKeys(changes);
    if (!queue.durable) {
      // What it owes ends with the process: there is no record that could be behind its letters.
      await this.#assignment.commit(part, changes);
      queue.takeUp(debts, [], 0);
      ended();
    } else {
      const isTorn = runtime.planted.has('redrive-torn-from-letter');
      queue.takeUp(debts, isTorn ? [] : [...changes, partChange(run.id, part)], bytes);
      if (!isTorn) this.#joined = part;
      ended();
    }
    for (const owed of debts) dispatcher.schedule(subscription, owed);
    dispatcher.wake(subscription);
    while (queue.durable) {
      try {
        await checkpoint.durable(subscription);
        break;
      } catch (error) {
        if (!mayPass(error) || this.#isOver) throw error;
        await new Promise<void>((resolve) => runtime.timers.after(COMMIT_AGAIN_MS, resolve));
      }
    }
    this.#joined = undefined;
    if (queue.durable && runtime.planted.has('redrive-torn-from-letter')) await this.#assignment.commit(part, changes);
  }

  /** Whoever discards a letter has decided what its key was parked for. */
  #releaseKeys(changes: readonly StateChange[]): void {
    const { keys } = this.#assignment.subscription.queue;
    if (!this.#isDiscard || !keys || keys.parkedCount === 0) return;
    const closed = new Set(changes.map(({ value }) => (value as unknown as DeadLetter).id));
    for (const entry of [...keys.parked]) {
      const id = entry.parked?.deadLetterId;
      if (id !== undefined && closed.has(id)) keys.letterClosed(entry, id);
    }
  }
}

function skip({ skipped }: Step, reason: SkipReason): void {
  skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
}

/**
 * Deliveries that owners at other processes handed to the members here, as this process sees them.
 *
 *     handed ──in time──▶ under way ──outcomes──▶ answered ──over──▶ forgotten
 *       └──too late, no such member──▶ refused      └──abort, over, its owner is gone──▶ aborted
 *
 * A call is begun only while it is sure that its owner has not taken it back: less than `validMs` after it was sent, which the
 * age of its letter tells (`peers/envelope.ts`). A process that slept finds calls in its socket that are as old as its sleep,
 * and begins none of them. Numbers of calls grow, so a letter that comes twice is known by them.
 *
 * An outcome is kept until the owner says that the call is over, and is sent again four times a second: it may have been lost,
 * and the owner counts the time of the attempt. So is the word that a call was begun, once at least.
 * A process that stops waits until nothing is unconfirmed, for a moment.
 */

import type { Recorded } from '../../contracts/event-store.ts';
import type { DeliverOptions, Delivery, Outcome } from '../../contracts/sink.ts';
import type { Letter } from '../../peers/envelope.ts';
import { numberOf, numbersOf, textOf } from '../../peers/letter-fields.ts';
import type { Peer, Peers } from '../../peers/peers.ts';
import type { Cancel } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { Attached } from '../attached.ts';
import { ArrivingBatch } from './batch-letters.ts';
import { encodeOutcome, outcomeParts } from './outcome-letters.ts';

const RELEASED: Outcome = { status: 'release' };
const UNDER_WAY_PER_LETTER_MAX = 1_000;
const AGAIN_MS = 250;

export interface HostedCallsOptions {
  readonly peers: Peers;
  readonly runtime: Runtime;
  /** The member with this number, if it is attached here. */
  readonly memberOf: (subscriptionId: string, key: number) => Attached | undefined;
  /** Events by their positions: at once where all are in memory. */
  readonly read: (
    positions: readonly number[],
    deadLetter: unknown,
  ) => readonly (Recorded | undefined)[] | Promise<readonly (Recorded | undefined)[]>;
  readonly onFailure: (error: unknown) => void;
}

/** One call, and what its member is told of it. */
class HostedCall implements DeliverOptions {
  readonly id: number;
  readonly owner: Peer;
  readonly attached: Attached;
  readonly deadlineAtMs: number;
  readonly #onSettled: (index: number, outcome: Outcome) => void;
  isUnderWay = true;
  outcomes: readonly Outcome[] | undefined;
  #abort: AbortController | undefined;

  constructor(
    { id, owner, attached, deadlineAtMs }: Pick<HostedCall, 'id' | 'owner' | 'attached' | 'deadlineAtMs'>,
    onSettled: (call: HostedCall, index: number, outcome: Outcome) => void,
  ) {
    this.id = id;
    this.owner = owner;
    this.attached = attached;
    this.deadlineAtMs = deadlineAtMs;
    this.#onSettled = (index, outcome) => onSettled(this, index, outcome);
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  settled(index: number, outcome: Outcome): void {
    this.#onSettled(index, outcome);
  }

  abort(): void {
    this.#abort ??= new AbortController();
    this.#abort.abort();
  }
}

interface Owner {
  readonly peer: Peer;
  readonly calls: Map<number, HostedCall>;
  readonly arriving: ArrivingBatch;
  /** The newest call that was looked at. */
  lastCall: number;
}

export class HostedCalls {
  readonly counts = { begun: 0, refused: 0 };
  readonly #options: HostedCallsOptions;
  readonly #owners = new Map<string, Owner>();
  #cancelAgain: Cancel | undefined;
  readonly #leaving = new Set<{ readonly isDone: () => boolean; readonly resolve: () => void }>();

  constructor(options: HostedCallsOptions) {
    const { peers } = options;
    this.#options = options;
    peers.on('part', (letter, from) => this.#ownerOf(from).arriving.part(letter));
    peers.on('deliver', (letter, from, ageMs) => this.#onDeliver(letter, from, ageMs));
    peers.on('abort', (letter, from) => this.#callOf(from, numberOf(letter, 'call'))?.abort());
    peers.on('over', (letter, from) => this.#onOver(numbersOf(letter, 'calls'), from));
    peers.onGone((peer) => this.#gone(peer));
    peers.onBeat(() => this.#beat());
  }

  get size(): number {
    let size = 0;
    for (const { calls } of this.#owners.values()) for (const call of calls.values()) if (!call.outcomes) size++;
    return size;
  }

  /** Resolves when the member has nothing under way but `caller`; what it still has after `drainMs` is given back. */
  async ended(attached: Attached, drainMs: number, caller?: unknown): Promise<void> {
    const isDone = () => this.#underWay(attached).every((call) => call === caller);
    if (isDone()) return;
    const giveBack = () => this.giveBack(attached, caller);
    const cancel = drainMs > 0 ? this.#options.runtime.timers.after(drainMs, giveBack, true) : giveBack();
    if (!isDone()) await new Promise<void>((resolve) => this.#leaving.add({ isDone, resolve }));
    cancel?.();
  }

  /** Resolves when owners know of all that ended here what became of it, or when so much time has passed. */
  async confirmed(withinMs: number): Promise<void> {
    const isDone = () => !this.#isUnconfirmed();
    if (isDone()) return;
    await new Promise<void>((resolve) => {
      const leaving = { isDone, resolve };
      this.#leaving.add(leaving);
      const giveUp = () => {
        this.#leaving.delete(leaving);
        resolve();
      };
      const cancel = this.#options.runtime.timers.after(withinMs, giveUp, true);
      leaving.resolve = () => {
        cancel();
        resolve();
      };
    });
  }

  /** What the member has under way is released, and nobody waits for it. */
  giveBack(attached: Attached, caller?: unknown): void {
    for (const call of this.#underWay(attached)) {
      if (call === caller) continue;
      call.abort();
      this.#answer(call, [], RELEASED);
    }
  }

  #underWay(attached: Attached): HostedCall[] {
    const found: HostedCall[] = [];
    for (const { calls } of this.#owners.values()) {
      for (const call of calls.values()) if (call.attached === attached && !call.outcomes) found.push(call);
    }
    return found;
  }

  #onDeliver(letter: Letter, from: Peer, ageMs: number): void {
    const id = numberOf(letter, 'call');
    const owner = this.#ownerOf(from);
    if (id <= owner.lastCall) return;
    owner.lastCall = id;
    const arrived = owner.arriving.whole(letter);
    if (!arrived) return;
    const { peers, runtime, memberOf } = this.#options;
    const nowMs = runtime.clock.monotonicMs();
    const untilMs = nowMs + numberOf(letter, 'validMs') - ageMs;
    const attached = memberOf(textOf(letter, 'subscription'), numberOf(letter, 'member'));
    const isInTime = () => runtime.clock.monotonicMs() < untilMs || runtime.planted.has('stale-letter-begun');
    const mayBegin = () => isInTime() && peers.peer(from.name) === from;
    const subscriptionId = textOf(letter, 'subscription');
    const { positions, attempts } = arrived;
    const refuse = () => this.#refuse(id, from, !mayBegin());
    if (!attached || !mayBegin() || attached.sink.isUp === false) {
      refuse();
      return;
    }
    const deadlineAtMs = nowMs + numberOf(letter, 'leftMs');
    const call = new HostedCall({ id, owner: from, attached, deadlineAtMs }, this.#onSettled);
    const begin = (records: readonly (Recorded | undefined)[]) => {
      const isStillThere = memberOf(subscriptionId, numberOf(letter, 'member')) === attached;
      if (!isStillThere || !mayBegin() || records.some((record) => record === undefined)) {
        refuse();
        return;
      }
      const replay = typeof letter['replay'] === 'string' ? { replay: { id: letter['replay'] } } : {};
      const marks = { ...replay, ...(typeof letter['life'] === 'string' ? { life: letter['life'] } : {}) };
      const batch = records.map((record, at) => ({
        record: record!,
        subscriptionId,
        attempt: attempts[at]!,
        ...marks,
      }));
      this.#begin(owner, call, batch);
    };
    const records = this.#options.read(positions, letter['deadLetter']);
    if (records instanceof Promise) records.then(begin, refuse).catch(this.#options.onFailure);
    else begin(records);
  }

  #refuse(call: number, from: Peer, isLate: boolean): void {
    this.counts.refused++;
    this.#options.peers.post({ kind: 'refused', call, isLate }, from.name);
  }

  #begin(owner: Owner, call: HostedCall, batch: readonly Delivery[]): void {
    owner.calls.set(call.id, call);
    this.#tellAgain();
    this.counts.begun++;
    let answer: readonly Outcome[] | Promise<readonly Outcome[]>;
    try {
      answer = call.attached.sink.deliver(batch, call);
    } catch (error) {
      this.#answer(call, batch, failureOf(error));
      return;
    }
    if (answer instanceof Promise) {
      this.#options.peers.post({ kind: 'begun', calls: [call.id] }, owner.peer.name);
      answer.then(
        (outcomes) => this.#answered(call, batch, outcomes),
        (error: unknown) => this.#answer(call, batch, failureOf(error)),
      );
    } else this.#answered(call, batch, answer);
  }

  /** A sink that answers anything else has a bug, which is told as the engine would tell it. */
  #answered(call: HostedCall, batch: readonly Delivery[], outcomes: readonly Outcome[]): void {
    const isSound = Array.isArray(outcomes) && outcomes.length === batch.length;
    if (!isSound) {
      this.#answer(call, batch, failureOf(new TypeError('The sink did not answer one outcome per delivery.')));
      return;
    }
    if (call.outcomes) return;
    call.outcomes = outcomes;
    this.#over(call);
    this.#tell(call);
  }

  /** The same outcome for all of it; of an empty batch the owner is told that it is given back. */
  #answer(call: HostedCall, batch: readonly Delivery[], outcome: Outcome): void {
    if (call.outcomes) return;
    call.outcomes = batch.map(() => outcome);
    this.#over(call);
    this.#tell(call);
  }

  #tell(call: HostedCall): void {
    const { peers } = this.#options;
    const { id, owner, outcomes } = call;
    if (!outcomes) return;
    this.#tellAgain();
    if (outcomes.length === 0) peers.post({ kind: 'returned', calls: [id] }, owner.name);
    else for (const part of outcomeParts(outcomes)) peers.post({ kind: 'outcomes', call: id, ...part }, owner.name);
  }

  readonly #onSettled = (call: HostedCall, index: number, outcome: Outcome): void => {
    if (call.outcomes) return;
    const part = { from: index, outcomes: [encodeOutcome(outcome)] };
    this.#options.peers.post({ kind: 'outcomes', call: call.id, ...part }, call.owner.name);
  };

  #onOver(ids: readonly number[], from: Peer): void {
    const owner = this.#owners.get(from.name);
    for (const id of ids) {
      const call = this.#callOf(from, id);
      if (!call) continue;
      owner!.calls.delete(id);
      if (!call.outcomes) call.abort();
      this.#over(call);
    }
  }

  #over(call: HostedCall): void {
    call.isUnderWay = false;
    this.#tellLeaving();
  }

  #tellLeaving(): void {
    for (const leaving of this.#leaving) {
      if (!leaving.isDone()) continue;
      this.#leaving.delete(leaving);
      leaving.resolve();
    }
  }

  /** Says once more, in a moment, what may have been lost. */
  #tellAgain(): void {
    this.#cancelAgain ??= this.#options.runtime.timers.after(AGAIN_MS, () => {
      this.#cancelAgain = undefined;
      this.#beat();
      if (this.#isUnconfirmed()) this.#tellAgain();
    });
  }

  #isUnconfirmed(): boolean {
    return [...this.#owners.values()].some(({ calls }) => [...calls.values()].some(({ outcomes }) => outcomes));
  }

  #beat(): void {
    const { peers } = this.#options;
    for (const { peer, calls } of this.#owners.values()) {
      const underWay: number[] = [];
      for (const call of calls.values()) {
        if (call.outcomes) this.#tell(call);
        else underWay.push(call.id);
      }
      for (let at = 0; at < underWay.length; at += UNDER_WAY_PER_LETTER_MAX) {
        peers.post({ kind: 'calls', underWay: underWay.slice(at, at + UNDER_WAY_PER_LETTER_MAX) }, peer.name);
      }
    }
  }

  #ownerOf(peer: Peer): Owner {
    const known = this.#owners.get(peer.name);
    if (known?.peer === peer) return known;
    const owner: Owner = { peer, calls: new Map(), arriving: new ArrivingBatch(), lastCall: 0 };
    this.#owners.set(peer.name, owner);
    return owner;
  }

  #callOf({ name }: Peer, id: number): HostedCall | undefined {
    return this.#owners.get(name)?.calls.get(id);
  }

  /** Whoever serves the subscription next delivers it again. */
  #gone({ name }: Peer): void {
    const owner = this.#owners.get(name);
    if (!owner) return;
    this.#owners.delete(name);
    for (const call of owner.calls.values()) {
      if (call.outcomes) continue;
      call.outcomes = [];
      // It may hear us still.
      this.#tell(call);
      call.abort();
      this.#over(call);
    }
    this.#tellLeaving();
  }
}

function failureOf(error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error);
  return { status: 'retry', error: { code: 'sink_error', message } };
}

/**
 * Deliveries that the owner of a subscription handed to members at other processes, as the owner sees them.
 *
 *     sent ──begun──▶ under way ──outcomes──▶ answered
 *      ├──not begun in time, refused──▶ released
 *      └──its process is gone, the member left──▶ released
 *
 * The other side (`hosted-calls.ts`) begins a call only while it knows that less than `validMs` have passed since it was sent:
 * at most 2 s, half of the time that the call has, and what is left of the lease. After that it is released here. So nothing
 * that was released begins, and no attempt is counted as too slow that nobody began.
 *
 * Every letter may be lost. Once a second the other side says which calls it has under way and repeats the outcomes that
 * nobody confirmed; whatever is unknown here is `over`, which ends it there. So a lost letter costs a second and no attempt.
 */
import type { DeliverOptions, Delivery, Outcome } from '../../contracts/sink.ts';
import { isOutcome } from '../../dispatch/deliver.ts';
import type { Letter } from '../../peers/envelope.ts';
import { numberOf, numbersOf, objectsOf } from '../../peers/letter-fields.ts';
import type { Peer, Peers } from '../../peers/peers.ts';
import type { Cancel } from '../../runtime/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { batchLetters } from './batch-letters.ts';
import { deadLetterOf } from './event-reader.ts';

export const BEGIN_WITHIN_MS = 2_000;
const RELEASED: Outcome = { status: 'release' };

/** To whom a call goes. */
export interface RemoteMember {
  readonly subscriptionId: string;
  /** The process where it sits. */
  readonly to: string;
  /** Its number there. */
  readonly key: number;
  /** A call was not begun: it is handed nothing more until it is heard of again. */
  refused(): void;
}

interface RemoteCall {
  readonly member: RemoteMember;
  readonly options: DeliverOptions;
  readonly outcomes: (Outcome | undefined)[];
  readonly beginUntilMs: number;
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly onAbort: () => void;
  left: number;
  isBegun: boolean;
}

export class RemoteCalls {
  readonly counts = { handed: 0, givenBack: 0 };
  readonly #peers: Peers;
  readonly #runtime: Runtime;
  readonly #calls = new Map<number, RemoteCall>();
  #last = 0;
  #cancelLook: Cancel | undefined;
  #lookAtMs = Number.POSITIVE_INFINITY;

  constructor(peers: Peers, runtime: Runtime) {
    this.#peers = peers;
    this.#runtime = runtime;
    peers.on('begun', (letter, from) => this.#onBegun(numbersOf(letter, 'calls'), from));
    peers.on('refused', (letter, from) => this.#onRefused(letter, from));
    peers.on('returned', (letter, from) => this.#onReturned(numbersOf(letter, 'calls'), from));
    peers.on('outcomes', (letter, from) => this.#onOutcomes(letter, from));
    peers.on('calls', (letter, from) => this.#onCalls(letter, from));
    peers.onGone(({ name }) => this.#gone(name));
  }

  get size(): number {
    return this.#calls.size;
  }

  /** Hands a batch to a member elsewhere; `validMs` is how long it may be begun from now on. */
  deliver(
    member: RemoteMember,
    batch: readonly Delivery[],
    options: DeliverOptions,
    validMs: number,
  ): Promise<readonly Outcome[]> {
    const nowMs = this.#runtime.clock.monotonicMs();
    const leftMs = Math.max(0, options.deadlineAtMs - nowMs);
    const withinMs = Math.min(BEGIN_WITHIN_MS, leftMs / 2, validMs);
    const call = ++this.#last;
    this.counts.handed += batch.length;
    const rest = { subscription: member.subscriptionId, member: member.key, leftMs, validMs: withinMs };
    // What is replayed comes in batches of its own, and what is redriven alone.
    const { replay, life, record } = batch[0] ?? {};
    const lived = life === undefined ? {} : { life };
    const marks = { ...(replay ? { replay: replay.id } : {}), ...lived, ...deadLetterOf(record) };
    for (const letter of batchLetters(call, batch, { ...rest, ...marks })) this.#peers.post(letter, member.to);
    return new Promise((resolve) => {
      const onAbort = () => this.#peers.post({ kind: 'abort', call }, member.to);
      options.signal.addEventListener('abort', onAbort);
      const outcomes = new Array<Outcome | undefined>(batch.length).fill(undefined);
      const left = batch.length;
      this.#calls.set(call, {
        ...{ member, options, outcomes, beginUntilMs: nowMs + withinMs, resolve, onAbort, left },
        isBegun: false,
      });
      this.#lookAt(nowMs + withinMs);
    });
  }

  /** What the member has not answered is given back. */
  releaseOf(member: RemoteMember): void {
    for (const [id, call] of this.#calls) if (call.member === member) this.#release(id, call);
  }

  #look(): void {
    const nowMs = this.#runtime.clock.monotonicMs();
    let nextAtMs = Number.POSITIVE_INFINITY;
    this.#lookAtMs = Number.POSITIVE_INFINITY;
    for (const [id, call] of this.#calls) {
      if (call.isBegun) continue;
      if (call.beginUntilMs > nowMs) nextAtMs = Math.min(nextAtMs, call.beginUntilMs);
      else {
        call.member.refused();
        this.#release(id, call);
      }
    }
    if (nextAtMs < Number.POSITIVE_INFINITY) this.#lookAt(nextAtMs);
  }

  /** One timer for all calls: that of the first that has to be begun. */
  #lookAt(atMs: number): void {
    if (atMs >= this.#lookAtMs) return;
    const { clock, timers } = this.#runtime;
    this.#cancelLook?.();
    this.#lookAtMs = atMs;
    this.#cancelLook = timers.after(Math.max(0, atMs - clock.monotonicMs()), () => this.#look());
  }

  #onBegun(ids: readonly number[], from: Peer): void {
    for (const id of ids) {
      const call = this.#callOf(id, from);
      if (call) call.isBegun = true;
    }
  }

  /** One that came too late may come in time now: this letter says what the clock of the other side is. */
  #onRefused(letter: Letter, from: Peer): void {
    const id = numberOf(letter, 'call');
    const call = this.#callOf(id, from);
    if (!call || call.isBegun) return;
    if (letter['isLate'] !== true) call.member.refused();
    this.#release(id, call);
  }

  /** The member left, or its process gave up on this one. */
  #onReturned(ids: readonly number[], from: Peer): void {
    for (const id of ids) {
      const call = this.#callOf(id, from);
      if (call) this.#release(id, call);
    }
    this.#peers.post({ kind: 'over', calls: ids }, from.name);
  }

  #onOutcomes(letter: Letter, from: Peer): void {
    const id = numberOf(letter, 'call');
    const call = this.#callOf(id, from);
    const first = numberOf(letter, 'from');
    if (call) {
      call.isBegun = true;
      for (const [at, outcome] of objectsOf(letter, 'outcomes').entries()) {
        this.#settle(call, first + at, outcome as unknown as Outcome);
      }
      if (call.left === 0) this.#end(id, call, call.outcomes as readonly Outcome[]);
    }
    if (!this.#calls.has(id)) this.#peers.post({ kind: 'over', calls: [id] }, from.name);
  }

  #settle(call: RemoteCall, at: number, outcome: Outcome): void {
    if (at >= call.outcomes.length || call.outcomes[at] !== undefined) return;
    call.outcomes[at] = outcome;
    call.left--;
    // What is known of one delivery of a batch counts, whatever becomes of the others.
    if (call.left > 0 && isOutcome(outcome)) call.options.settled?.(at, outcome);
  }

  /** What the other side has under way; what nobody here waits for is over. */
  #onCalls(letter: Letter, from: Peer): void {
    const over: number[] = [];
    for (const id of numbersOf(letter, 'underWay')) {
      const call = this.#callOf(id, from);
      if (call && call.options.isUnderWay !== false) call.isBegun = true;
      else over.push(id);
    }
    for (const id of over) {
      const call = this.#callOf(id, from);
      if (call) this.#release(id, call);
    }
    if (over.length > 0) this.#peers.post({ kind: 'over', calls: over }, from.name);
  }

  /** Also what members had that were named no more and could finish. */
  #gone(name: string): void {
    for (const [id, call] of this.#calls) if (call.member.to === name) this.#release(id, call);
  }

  #callOf(id: number, { name }: Peer): RemoteCall | undefined {
    const call = this.#calls.get(id);
    return call?.member.to === name ? call : undefined;
  }

  #release(id: number, call: RemoteCall): void {
    this.counts.givenBack += call.left;
    this.#end(
      id,
      call,
      call.outcomes.map((outcome) => outcome ?? RELEASED),
    );
  }

  #end(id: number, { options, onAbort, resolve }: RemoteCall, outcomes: readonly Outcome[]): void {
    this.#calls.delete(id);
    options.signal.removeEventListener('abort', onAbort);
    resolve(outcomes);
  }
}

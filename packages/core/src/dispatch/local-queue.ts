/**
 * What one subscription owes from one partition, and how far that is durable.
 *
 * Durable, in two kinds of records:
 * - `progress`: per lane `scanned` (everything at or below is settled or owed), `settled` (ranges above it that are
 *   settled already) and `reserved` (no event above it was ever attempted).
 * - `owed`: one record per delivery that failed or was under way when a process died.
 *
 * Invariants:
 * - The window (claimed + settled but not yet committed) never exceeds `inFlightMax`: that is all a crash can duplicate.
 * - A claim above `reserved` waits until a larger `reserved` is durable. So after a crash exactly the unsettled events in
 *   (scanned, reserved] may have been attempted; they become suspects: owed, attempt + 1, delivered one at a time.
 * - The floor never waits for a retry: a failed delivery moves to `owed` in the commit that moves the floor past it.
 * - A settlement and what follows from it (owed record, dead letter) are in the same commit.
 */
import type { Position, Recorded } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { Lane } from '../event/priority.ts';
import type { JsonObject } from '../json.ts';
import type { Claimed, GivenUp } from './claimed.ts';
import { Debts, type PendingDebts } from './debts.ts';
import { KeptEvent } from './kept-event.ts';
import type { LaneQueue, LaneStanding } from './lane-queue.ts';
import { firstRoundIn, resetsIn } from './life-of.ts';
import type { KeyEntry } from './order/key-entry.ts';
import type { Parked } from './order/key-record.ts';
import type { KeySnapshot } from './order/key-records.ts';
import { type KeptKeys, NO_KEYS } from './order/open-keys.ts';
import type { OrderedKeys } from './order/ordered-keys.ts';
import { Owed } from './owed.ts';
import type { QueueOptions } from './queue-options.ts';
import { QueueProgress } from './queue-progress.ts';
import { Window, type WindowSnapshot } from './window.ts';

/** Slots of an ordered lane, in entries of a full one, before what is held in it must not keep its floor any longer. */
const SPAN_MAX_LANES = 8;

/** A commit under way. */
export interface QueueSnapshot {
  readonly changes: StateChange[];
  readonly reserved: readonly Position[];
  readonly window: WindowSnapshot;
  readonly pendingOwed: PendingDebts;
  readonly keys: KeySnapshot | undefined;
}

export class LocalQueue {
  /** The lanes there are: four, or one where events are ordered. */
  readonly lanes: readonly LaneQueue[];
  /** The lane of each priority. */
  readonly byLane: readonly LaneQueue[];
  readonly keys: OrderedKeys | undefined;
  /** Deliveries that failed, or were under way when a process died. */
  readonly owed: ReadonlyMap<Position, Owed>;
  /** What is known of the receiver as a whole: kept with the progress, read by `failure/`. */
  receiver: JsonObject | undefined;
  /** How often the subscription was reset: kept with the progress. */
  resets = 0;
  /** The round in which its deliveries begin: behind those of the dead letters that it was reset over. */
  firstRound = 0;
  /** Something happened that the durable records do not say yet. */
  dirty = false;
  readonly #options: QueueOptions;
  readonly #debts: Debts;
  readonly #progress: QueueProgress;
  readonly #window: Window;

  constructor(floor: Position, options: QueueOptions) {
    const { orderedKeys, laneEntriesMax, inFlightMax } = options;
    this.#options = options;
    this.keys = orderedKeys;
    if (orderedKeys) {
      orderedKeys.onDirty = () => this.#changed();
      orderedKeys.onReady = (owed) => this.makeReady(owed);
    }
    this.#window = new Window(inFlightMax, options.durable);
    const isSingleLane = this.isOrdered || options.isSingleLane === true;
    this.#progress = new QueueProgress(floor, { isSingleLane, inFlightMax, laneEntriesMax });
    this.lanes = this.#progress.lanes;
    this.byLane = this.#progress.byLane;
    this.#debts = new Debts(this.lanes.length, options.durable);
    this.owed = this.#debts.all;
  }

  /** Events of one key come one after the other. */
  get isOrdered(): boolean {
    return this.keys?.keyOf !== undefined;
  }

  get durable(): boolean {
    return this.#options.durable;
  }

  /** The key of its record of progress. */
  get progressKey(): string {
    return this.#options.keys.progress;
  }

  /** Deliveries that may still be attempted right now before the window is full. */
  get windowLeft(): number {
    return this.#window.left;
  }

  get claimedCount(): number {
    return this.#window.claimed;
  }

  /**
   * At the cap fresh events are not claimed any more: so many retries, or so many keys that wait for one, mean that the
   * receiver, not the event, is broken.
   */
  get isSaturated(): boolean {
    return this.owed.size + this.#window.claimed >= this.#options.owedMax || this.keys?.isSaturated === true;
  }

  /** Deliveries that wait for a first attempt. */
  get waitingCount(): number {
    return this.unseenCount + (this.keys?.waitingCount ?? 0);
  }

  /** Those of them that no claim has looked at yet. */
  get unseenCount(): number {
    let waiting = 0;
    for (const lane of this.lanes) waiting += lane.waiting;
    return waiting;
  }

  /** A scan of the log would find what there is room for. */
  get wantsReading(): boolean {
    for (const lane of this.lanes) if (lane.state === 'overflowed' && lane.wantsReading) return true;
    return this.keys?.unread.wantsReading === true;
  }

  /** Everything routed so far is settled. */
  isSettled(): boolean {
    return (
      this.#window.claimed === 0 &&
      this.owed.size === 0 &&
      this.lanes.every((lane) => lane.isEmpty && lane.state === 'live') &&
      (this.keys?.isSettled ?? true)
    );
  }

  /** Nothing waits to be made durable. */
  get isCommitted(): boolean {
    return !this.dirty && this.#window.isCommitted;
  }

  /**
   * Restores what an earlier owner left. `head` is the end of the log now: nothing behind it was attempted before. Returns
   * the highest position that was settled or owed. It lies behind `head` only when the log lost its end; what was known of
   * that end is forgotten, because new events will stand there.
   */
  recover(
    progress: JsonObject | undefined,
    owed: Iterable<Owed>,
    head: Position,
    { forgetsWindow = false, kept = NO_KEYS }: { forgetsWindow?: boolean; kept?: KeptKeys } = {},
  ): Position {
    let highest = this.#progress.recover(progress, head, forgetsWindow);
    for (const entry of owed) {
      highest = Math.max(highest, entry.position);
      if (entry.position <= head) this.#debts.all.set(entry.position, entry);
      else this.#forgetOwed(entry.position);
    }
    this.keys?.recover(kept, this.owed.values(), head);
    this.#options.rateLimit?.recover(progress);
    this.receiver = progress?.['receiver'] as JsonObject | undefined;
    this.resets = resetsIn(progress);
    this.firstRound = firstRoundIn(progress);
    return kept.records.reduce((most, { through }) => Math.max(most, through), highest);
  }

  /** Where an event stands that is no debt of its own and waits behind no other one of its key. */
  standingOf(lane: Lane, position: Position): LaneStanding {
    return this.#progress.standingOf(lane, position);
  }

  /** Takes an event that the read-back scan found. */
  offerRead(lane: LaneQueue, laneNumber: Lane, position: Position, after: Position, record?: Recorded): void {
    if (!lane.wantsRead(position, after)) return;
    const left = this.#progress.leftOf(lane, laneNumber, position);
    if (left === 'settled' || this.owed.has(position)) {
      lane.passRead(position);
    } else if (left === 'suspect') {
      this.#suspect(laneNumber, position, record);
      lane.passRead(position);
    } else {
      lane.offerRead(position);
    }
  }

  /** A retry whose time has come waits for a claim. */
  makeReady(owed: Owed): void {
    if (owed.entry && !this.keys!.mayRetry(owed)) return;
    this.#debts.makeReady(owed);
  }

  /** Debts that wait for their time and so belong into the timetable. */
  debtsToTime(): Iterable<Owed> {
    return this.#debts.waiting();
  }

  /** The event waits, is tried, or is a debt: it must not be owed twice. */
  owes(kept: KeptEvent): boolean {
    const { position, lane } = kept;
    if (this.owed.has(position)) return true;
    if (this.keys?.keyOf && this.keys.owes(kept, this.keys.keyOf(kept))) return true;
    const queue = this.byLane[lane]!;
    const standing = queue.standingOf(position).at;
    if (standing === 'unread') return this.#progress.leftOf(queue, lane, position) !== 'settled';
    return standing !== 'settled';
  }

  /**
   * Dead letters are debts again, or are closed for good: `changes`, of about `bytes`, say so in the commit that makes the debts
   * durable.
   */
  takeUp(debts: readonly Owed[], changes: readonly StateChange[], bytes: number): void {
    for (const owed of debts) {
      this.#putOwed(owed);
      if (this.keys?.keyOf) this.keys.takeUp(owed, this.keys.keyOf(owed.event!), this.lanes[0]!);
    }
    this.join(changes, bytes);
  }

  /** A debt has another time, or another reason to wait. */
  changed(owed: Owed): void {
    this.#putOwed(owed);
  }

  peekReady(lane: Lane): Owed | undefined {
    return this.#debts.peekReady(lane);
  }

  /** A retry, or an event that waited for another one of its key, could be claimed now. */
  get hasReady(): boolean {
    return this.#debts.hasReady || this.keys?.lines.hasTurn(false) === true;
  }

  /** True when the attempt of `position` is covered by a durable reservation. */
  isReserved(lane: Lane, position: Position): boolean {
    return !this.#options.durable || position <= this.byLane[lane]!.reserved;
  }

  claimWaiting(lane: Lane, entry?: KeyEntry): Claimed {
    const queue = this.byLane[lane]!;
    const position = queue.peek()!;
    const slot = queue.claim();
    this.#window.claim();
    return { position, lane, attempt: 1, slot, owed: undefined, entry };
  }

  /** The next waiting event has to wait for others of its key. True when it stays in the lane. */
  putBehind(lane: Lane, entry: KeyEntry): boolean {
    const queue = this.byLane[lane]!;
    const position = queue.peek()!;
    const stays = this.keys!.held.mayHold(entry);
    if (stays) {
      this.keys!.held.hold(entry, queue.hold(), position);
    } else {
      queue.settle(queue.claim());
      this.keys!.append(entry, position);
    }
    if (queue.span > SPAN_MAX_LANES * this.#options.laneEntriesMax) this.keys!.spill(queue);
    this.#changed();
    return stays;
  }

  /** Claims the next event of the key that stands first in turn; `lane` is that of the event. */
  claimTurn(entry: KeyEntry, lane: Lane): Claimed {
    const { position, slot } = this.keys!.claimTurn(entry, this.byLane[lane]!);
    this.#window.claim();
    this.#changed();
    return { position, lane, attempt: 1, slot, owed: undefined, entry };
  }

  /** The same for one that an earlier process may have attempted. */
  claimSuspect(entry: KeyEntry, lane: Lane): Claimed {
    const owed = this.keys!.takeSuspect(entry, (position) => {
      const suspect = new Owed(position, lane, 1, this.firstRound);
      suspect.suspect = true;
      return suspect;
    });
    return this.#claimOwed(owed);
  }

  /** An attempt is given up: keys of which its receiver has said nothing wait until it lets go. */
  linger(attempt: GivenUp): void {
    this.keys?.linger(attempt);
  }

  /** The receiver let go of it, or had time enough: its keys may go on. */
  letGo(attempt: GivenUp): void {
    for (const due of this.keys?.letGo(attempt) ?? []) this.#debts.makeReady(due);
  }

  /** Claims a retry; for a durable queue the attempt must be committed before it is made. */
  claimReady(lane: Lane): Claimed {
    return this.#claimOwed(this.#debts.takeReady(lane));
  }

  /** Takes a retry out of the queue to settle it without another attempt. */
  takeReady(lane: Lane): Claimed {
    return this.#claimedDebt(this.#debts.takeReady(lane));
  }

  /** Settles a waiting event without an attempt: it does not match, or it expired. Costs nothing of the window. */
  passWaiting(lane: Lane): void {
    const queue = this.byLane[lane]!;
    queue.settle(queue.claim());
    this.#changed();
  }

  /** Settles a ready retry without an attempt. */
  passReady(lane: Lane): void {
    const owed = this.#debts.takeReady(lane);
    this.#dropOwed(owed);
    if (!owed.entry) return;
    if (owed.redriven) this.keys!.letterClosed(owed.entry, owed.redriven.letterId);
    this.keys!.dropped(owed.entry);
  }

  /** The delivery is over: delivered, dead or removed. `changes`, of about `bytes`, join the same commit. */
  settleFinal(claimed: Claimed, changes: readonly StateChange[] = [], bytes = 0): void {
    this.#leaveWindow();
    if (claimed.owed) this.#dropOwed(claimed.owed);
    else if (claimed.slot >= 0) this.byLane[claimed.lane]!.settle(claimed.slot);
    const { entry, owed } = claimed;
    if (entry && owed?.redriven) this.keys!.letterClosed(entry, owed.redriven.letterId);
    if (entry) this.keys!.settled(entry);
    if (changes.length > 0) this.join(changes, bytes);
  }

  /** Changes that follow from what is settled in the same turn: they are in its commit. */
  join(changes: readonly StateChange[], bytes: number): void {
    this.#window.add(changes, bytes);
    this.dirty = true;
  }

  /** Which life of the delivery this is. */
  roundOf(owed: Owed | undefined): number {
    return owed?.round ?? this.firstRound;
  }

  /** Changes that wait for the next commit, beside the records of the queue itself. */
  get pendingChanges(): number {
    return this.#window.changesCount;
  }

  /** The delivery is a dead letter, by `changes`; that may park its key. */
  settleDead(claimed: Claimed, changes: readonly StateChange[], bytes: number, parked: Parked): void {
    if (claimed.entry) this.keys!.buried(claimed.entry, claimed.position, this.byLane[claimed.lane]!, parked);
    this.settleFinal(claimed, changes, bytes);
  }

  /** The delivery stays a debt; resolves to the entry, which the caller times. */
  settleOwed(claimed: Claimed): Owed {
    this.#leaveWindow();
    const owed = claimed.owed ?? new Owed(claimed.position, claimed.lane, claimed.attempt, this.firstRound);
    owed.started = false;
    owed.suspect = false;
    if (claimed.slot >= 0) this.byLane[claimed.lane]!.settle(claimed.slot);
    this.#putOwed(owed);
    if (claimed.entry) this.keys!.failed(claimed.entry, owed, this.byLane[claimed.lane]!);
    return owed;
  }

  /** Takes everything not yet durable into one commit. `closing` ends the reservation: nothing is left open. */
  snapshot(routedHead: Position, closing: boolean): QueueSnapshot {
    // What is held would keep the floor, and what is settled above it, for whoever comes next.
    if (closing) this.keys?.spill(this.lanes[0]!);
    const reserved = this.#progress.reservations(routedHead, closing);
    const keys = this.#options.durable ? this.keys?.snapshot(closing) : undefined;
    const changes: StateChange[] = [];
    if (this.#options.durable) {
      const progress = this.#whole(this.#progress.record(routedHead, reserved), routedHead);
      const value = closing ? { ...progress, ...this.#options.rateLimit?.record() } : progress;
      changes.push({ kind: 'progress', key: this.#options.keys.progress, value });
    }
    const debts = this.#debts.snapshot(this.#options.keys.owed);
    const window = this.#window.snapshot();
    changes.push(...debts.changes);
    if (keys) changes.push(...keys.changes);
    changes.push(...window.changes);
    const { beside } = this.#options;
    if (beside) changes.push(beside());
    this.dirty = false;
    return { changes, reserved, window, pendingOwed: debts.pending, keys };
  }

  committed(snapshot: QueueSnapshot): void {
    this.#window.committed(snapshot.window);
    this.#progress.reserved(snapshot.reserved);
    if (snapshot.keys) this.keys!.committed(snapshot.keys);
  }

  /**
   * The commit failed: its changes wait for the next one, beneath newer ones of the same delivery. It may be durable all the
   * same, and where it ends the reservation, what was reserved before does not count any more.
   */
  notCommitted(snapshot: QueueSnapshot): void {
    this.#window.notCommitted(snapshot.window);
    this.#progress.notReserved(snapshot.reserved);
    this.#debts.notCommitted(snapshot.pendingOwed);
    if (snapshot.keys) this.keys!.notCommitted(snapshot.keys);
    this.dirty = true;
  }

  /** What a queue of the same subscription that takes over in this process needs to know. */
  handOver(routedHead: Position): {
    progress: JsonObject;
    owed: readonly Owed[];
    kept: KeptKeys;
  } {
    const kept = this.keys?.handOver(this.lanes[0]!) ?? NO_KEYS;
    // Copies, since the timetable still holds the entries themselves and would call each of them twice.
    const owed = [...this.owed.values()].map((debt) => debt.copy());
    const progress = this.#whole(this.#progress.handOver(routedHead), routedHead);
    return { progress: { ...progress, ...this.#options.rateLimit?.record() }, owed, kept };
  }

  /** With what is known beside the lanes. */
  #whole(progress: JsonObject, routedHead: Position): JsonObject {
    const { receiver, resets, firstRound } = this;
    const { order } = this.#options;
    if (!receiver && order === undefined && resets === 0 && firstRound === 0) return progress;
    const ahead = this.keys?.aheadOf(this.lanes[0]!.floor(routedHead));
    return {
      ...progress,
      ...(receiver ? { receiver } : {}),
      ...(resets === 0 ? {} : { resets }),
      ...(firstRound === 0 ? {} : { firstRound }),
      ...(order === undefined ? {} : { order }),
      ...(ahead ? { ahead } : {}),
    };
  }

  #claimOwed(owed: Owed): Claimed {
    owed.attempt++;
    owed.started = true;
    if (this.#options.forgetsRetries) this.#forgetOwed(owed.position);
    else this.#putOwed(owed);
    return this.#claimedDebt(owed);
  }

  #claimedDebt(owed: Owed): Claimed {
    const { position, lane, attempt, entry } = owed;
    this.#window.claim();
    if (entry) this.keys!.retryBegins(entry);
    return { position, lane, attempt, slot: -1, owed, entry };
  }

  /** An earlier process may have attempted it, so it is delivered alone, and behind the others of its key. */
  #suspect(lane: Lane, position: Position, record: Recorded | undefined): void {
    if (this.isOrdered && record) {
      const kept = record instanceof KeptEvent ? record : new KeptEvent(record);
      this.keys!.suspect(this.keys!.keyOf!(kept), position);
      this.#changed();
      return;
    }
    const suspect = new Owed(position, lane, 1, this.firstRound);
    suspect.suspect = true;
    this.#putOwed(suspect);
    this.makeReady(suspect);
  }

  #leaveWindow(): void {
    this.#window.settle();
    this.#changed();
  }

  /** What ends with the process has no record that could be behind. */
  #changed(): void {
    if (this.#options.durable) this.dirty = true;
  }

  #putOwed(owed: Owed): void {
    this.#debts.put(owed);
    this.#changed();
  }

  #forgetOwed(position: Position): void {
    this.#debts.forget(position);
    this.#changed();
  }

  #dropOwed(owed: Owed): void {
    this.#forgetOwed(owed.position);
    this.#progress.debtSettled(owed.lane, owed.position);
  }
}

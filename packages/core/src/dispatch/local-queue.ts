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
import type { Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import { LANES, type Lane } from '../event/priority.ts';
import type { JsonObject } from '../json.ts';
import { LaneQueue } from './lane-queue.ts';
import { Owed } from './owed.ts';
import { type SettledRange, SettledRanges } from './settled-ranges.ts';

/** Bytes of dead letters in one commit of a subscription before claiming waits for it. */
const PENDING_BYTES_MAX = 1024 * 1024;

/** A delivery in the middle of an attempt. */
export interface Claimed {
  readonly position: Position;
  readonly lane: Lane;
  readonly attempt: number;
  /** Slot in the lane; -1 when the debt stands in `owed`. */
  readonly slot: number;
  readonly owed: Owed | undefined;
}

/** Prefix and writer of this queue's keys in the state store. */
export interface QueueKeys {
  readonly progress: string;
  readonly owedPrefix: string;
  owed(position: Position): string;
}

export interface QueueOptions {
  readonly keys: QueueKeys;
  /** False for subscriptions that end with the process: nothing but dead letters is written. */
  readonly durable: boolean;
  readonly inFlightMax: number;
  readonly laneEntriesMax: number;
  readonly owedMax: number;
}

/** A commit under way. */
export interface QueueSnapshot {
  readonly changes: StateChange[];
  readonly reserved: readonly Position[];
  readonly settled: number;
  readonly pendingOwed: ReadonlyMap<Position, Owed | undefined>;
  readonly pendingChanges: readonly StateChange[];
}

export class LocalQueue {
  readonly lanes: readonly LaneQueue[];
  readonly owed = new Map<Position, Owed>();
  /** Something happened that the durable records do not say yet. */
  dirty = false;
  readonly #options: QueueOptions;
  readonly #ready: Owed[][] = [[], [], [], []];
  /** Up to here, per lane, an earlier process may have attempted what is not settled. */
  #suspectThrough: Position[] = [0, 0, 0, 0];
  /** Settled positions, per lane, that the read-back scan has not passed yet. */
  readonly #settledAhead: readonly SettledRanges[] = LANES.map(() => new SettledRanges());
  #pendingOwed = new Map<Position, Owed | undefined>();
  #pendingChanges: StateChange[] = [];
  #pendingBytes = 0;
  #claimed = 0;
  #uncommitted = 0;
  #commitsUnderWay = 0;

  constructor(floor: Position, options: QueueOptions) {
    this.#options = options;
    this.lanes = LANES.map(() => new LaneQueue(floor, options.laneEntriesMax));
  }

  get durable(): boolean {
    return this.#options.durable;
  }

  /** Deliveries that may still be attempted right now before the window is full. */
  get windowLeft(): number {
    // One commit is encoded in one turn of the event loop: it must not gather a window of the largest letters.
    if (this.#pendingBytes >= PENDING_BYTES_MAX) return 0;
    return this.#options.inFlightMax - this.#claimed - this.#uncommitted;
  }

  get claimedCount(): number {
    return this.#claimed;
  }

  /** At the cap fresh events are not claimed any more: so many retries mean that the receiver, not the event, is broken. */
  get isSaturated(): boolean {
    return this.owed.size + this.#claimed >= this.#options.owedMax;
  }

  get waitingCount(): number {
    let waiting = 0;
    for (const lane of this.lanes) waiting += lane.waiting;
    return waiting;
  }

  /** Everything routed so far is settled. */
  isSettled(): boolean {
    return (
      this.#claimed === 0 && this.owed.size === 0 && this.lanes.every((lane) => lane.isEmpty && lane.state === 'live')
    );
  }

  /** Nothing waits to be made durable. */
  get isCommitted(): boolean {
    return !this.dirty && this.#uncommitted === 0 && this.#commitsUnderWay === 0;
  }

  /**
   * Restores what an earlier owner left. `head` is the end of the log now: nothing behind it was attempted before. Returns
   * the highest position that was settled or owed. It lies behind `head` only when the log lost its end; what was known of
   * that end is forgotten, because new events will stand there.
   */
  recover(progress: JsonObject | undefined, owed: Iterable<Owed>, head: Position, forgetsWindow = false): Position {
    const lanes = progress?.['lanes'] as unknown as [Position, Position, SettledRange[]][] | undefined;
    let highest = 0;
    for (const lane of LANES) {
      const record = lanes?.[lane];
      if (!record) continue;
      const [scanned, reserved, settled] = record;
      // Planted bug: what was under way when the process died is taken for settled.
      const floor = forgetsWindow ? Math.max(scanned, Math.min(reserved, head)) : scanned;
      this.lanes[lane]!.cursor = Math.min(floor, head);
      this.lanes[lane]!.reserved = reserved;
      this.#suspectThrough[lane] = Math.min(reserved, head);
      highest = Math.max(highest, scanned, settled.at(-1)?.[1] ?? 0);
      for (const [from, through] of settled) {
        if (from <= head) this.#settledAhead[lane]!.append([from, Math.min(through, head)]);
      }
    }
    for (const entry of owed) {
      highest = Math.max(highest, entry.position);
      if (entry.position <= head) this.owed.set(entry.position, entry);
      else this.#forgetOwed(entry.position);
    }
    return highest;
  }

  /** Takes an event that the read-back scan found. */
  offerRead(lane: LaneQueue, laneNumber: Lane, position: Position, after: Position): void {
    if (!lane.wantsRead(position, after)) return;
    this.#settledAhead[laneNumber]!.dropThrough(lane.cursor);
    if (this.#settledAhead[laneNumber]!.has(position)) {
      lane.passRead(position);
    } else if (this.owed.has(position)) {
      lane.passRead(position);
    } else if (position <= this.#suspectThrough[laneNumber]!) {
      const suspect = new Owed(position, laneNumber, 1);
      suspect.suspect = true;
      this.#putOwed(suspect);
      this.makeReady(suspect);
      lane.passRead(position);
    } else {
      lane.offerRead(position);
    }
  }

  /** A retry whose time has come waits for a claim. */
  makeReady(owed: Owed): void {
    this.#ready[owed.lane]!.push(owed);
  }

  /** Debts that wait for their time and so belong into the timetable. */
  *debtsToTime(): Generator<Owed> {
    const ready = new Set(this.#ready.flat());
    for (const owed of this.owed.values()) if (!ready.has(owed)) yield owed;
  }

  peekReady(lane: Lane): Owed | undefined {
    return this.#ready[lane]![0];
  }

  /** A retry could be claimed now. */
  get hasReady(): boolean {
    return this.#ready.some((ready) => ready.length > 0);
  }

  /** True when the attempt of `position` is covered by a durable reservation. */
  isReserved(lane: Lane, position: Position): boolean {
    return !this.#options.durable || position <= this.lanes[lane]!.reserved;
  }

  claimWaiting(lane: Lane): Claimed {
    const queue = this.lanes[lane]!;
    const position = queue.peek()!;
    const slot = queue.claim();
    this.#claimed++;
    return { position, lane, attempt: 1, slot, owed: undefined };
  }

  /** Claims a retry; for a durable queue the attempt must be committed before it is made. */
  claimReady(lane: Lane): Claimed {
    const owed = this.#ready[lane]!.shift();
    if (!owed) throw new TypeError('claimReady on an empty lane');
    owed.attempt++;
    owed.started = true;
    this.#claimed++;
    this.#putOwed(owed);
    return { position: owed.position, lane, attempt: owed.attempt, slot: -1, owed };
  }

  /** Takes a retry out of the queue to settle it without another attempt. */
  takeReady(lane: Lane): Claimed {
    const owed = this.#ready[lane]!.shift();
    if (!owed) throw new TypeError('takeReady on an empty lane');
    this.#claimed++;
    return { position: owed.position, lane, attempt: owed.attempt, slot: -1, owed };
  }

  /** Settles a waiting event without an attempt: it does not match, or it expired. Costs nothing of the window. */
  passWaiting(lane: Lane): void {
    const queue = this.lanes[lane]!;
    queue.settle(queue.claim());
    this.#changed();
  }

  /** Settles a ready retry without an attempt. */
  passReady(lane: Lane): void {
    const owed = this.#ready[lane]!.shift();
    if (owed) this.#dropOwed(owed);
  }

  /** The delivery is over: delivered, dead or removed. `changes`, of about `bytes`, join the same commit. */
  settleFinal(claimed: Claimed, changes: readonly StateChange[] = [], bytes = 0): void {
    this.#leaveWindow();
    if (claimed.owed) this.#dropOwed(claimed.owed);
    else this.lanes[claimed.lane]!.settle(claimed.slot);
    if (changes.length === 0) return;
    this.#pendingChanges.push(...changes);
    this.#pendingBytes += bytes;
    this.dirty = true;
  }

  /** The delivery stays a debt; resolves to the entry, which the caller times. */
  settleOwed(claimed: Claimed): Owed {
    this.#leaveWindow();
    const owed = claimed.owed ?? new Owed(claimed.position, claimed.lane, claimed.attempt);
    owed.started = false;
    owed.suspect = false;
    if (!claimed.owed) this.lanes[claimed.lane]!.settle(claimed.slot);
    this.#putOwed(owed);
    return owed;
  }

  /** Takes everything not yet durable into one commit. `closing` ends the reservation: nothing is left open. */
  snapshot(routedHead: Position, closing: boolean): QueueSnapshot {
    const reserved = this.lanes.map((lane) => this.#reservation(lane, routedHead, closing));
    const changes: StateChange[] = [];
    if (this.#options.durable) {
      changes.push({ kind: 'progress', key: this.#options.keys.progress, value: this.#progress(routedHead, reserved) });
    }
    for (const [position, owed] of this.#pendingOwed) {
      const key = this.#options.keys.owed(position);
      changes.push(owed ? { kind: 'owed', key, value: owed.toJson() } : { kind: 'owed', key });
    }
    changes.push(...this.#pendingChanges);
    const snapshot: QueueSnapshot = {
      changes,
      reserved,
      settled: this.#uncommitted,
      pendingOwed: this.#pendingOwed,
      pendingChanges: this.#pendingChanges,
    };
    this.#pendingOwed = new Map();
    this.#pendingChanges = [];
    this.#pendingBytes = 0;
    this.#commitsUnderWay++;
    this.dirty = false;
    return snapshot;
  }

  committed(snapshot: QueueSnapshot): void {
    this.#commitsUnderWay--;
    this.#uncommitted -= snapshot.settled;
    this.lanes.forEach((lane, number) => {
      lane.reserved = snapshot.reserved[number]!;
    });
  }

  /** The commit did not happen: its changes wait for the next one, beneath newer ones of the same delivery. */
  notCommitted(snapshot: QueueSnapshot): void {
    this.#commitsUnderWay--;
    this.#pendingOwed = new Map([...snapshot.pendingOwed, ...this.#pendingOwed]);
    this.#pendingChanges = [...snapshot.pendingChanges, ...this.#pendingChanges];
    this.dirty = true;
  }

  /** What a queue of the same subscription that takes over in this process needs to know. */
  handOver(routedHead: Position): { progress: JsonObject; owed: readonly Owed[] } {
    const floors = this.lanes.map((lane) => lane.floor(routedHead));
    // Copies, since the timetable still holds the entries themselves and would call each of them twice.
    return { progress: this.#progress(routedHead, floors), owed: [...this.owed.values()].map((owed) => owed.copy()) };
  }

  #reservation(lane: LaneQueue, routedHead: Position, closing: boolean): Position {
    if (closing) return lane.floor(routedHead);
    // A lane that reads back may be far behind: reserved up to the head, a crash would make suspects of all in between.
    const known = lane.state === 'live' ? routedHead : lane.cursor;
    const ahead = lane.peekAhead(this.#options.inFlightMax - 1) ?? known + 2 * this.#options.inFlightMax;
    return Math.max(lane.reserved, ahead);
  }

  #progress(routedHead: Position, reserved: readonly Position[]): JsonObject {
    const lanes = this.lanes.map((lane, number) => {
      const floor = lane.floor(routedHead);
      return [floor, reserved[number]!, this.#settledAbove(number, floor)];
    });
    return { lanes } as unknown as JsonObject;
  }

  #settledAbove(lane: number, floor: Position): SettledRange[] {
    return [...this.lanes[lane]!.settledAboveFloor(), ...this.#settledAhead[lane]!.above(floor)];
  }

  #leaveWindow(): void {
    this.#claimed--;
    if (this.#options.durable) this.#uncommitted++;
    this.#changed();
  }

  /** What ends with the process has no record that could be behind. */
  #changed(): void {
    if (this.#options.durable) this.dirty = true;
  }

  #putOwed(owed: Owed): void {
    this.owed.set(owed.position, owed);
    if (this.#options.durable) this.#pendingOwed.set(owed.position, owed);
    this.#changed();
  }

  #forgetOwed(position: Position): void {
    this.owed.delete(position);
    if (this.#options.durable) this.#pendingOwed.set(position, undefined);
    this.#changed();
  }

  #dropOwed(owed: Owed): void {
    this.#forgetOwed(owed.position);
    const lane = this.lanes[owed.lane]!;
    if (lane.state !== 'live' && owed.position > lane.cursor) this.#settledAhead[owed.lane]!.add(owed.position);
  }
}

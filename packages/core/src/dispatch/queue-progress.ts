/**
 * How far a queue is, and the durable record of it (`progress`): of each priority `[scanned, reserved, settled]`.
 *
 * The queue of an ordered subscription, or of a replay, has one lane for all priorities. Its record is written once per priority
 * all the same: what a queue of four lanes settled before it stays true, each priority for itself, and the other way round.
 */
import type { Position } from '../contracts/event-store.ts';
import { LANES, type Lane } from '../event/priority.ts';
import type { JsonObject } from '../json.ts';
import { Inherited, type LaneRecord, lanesOf } from './inherited.ts';
import { LaneQueue, type LaneStanding } from './lane-queue.ts';
import { mergedRanges } from './settled-ranges.ts';

export interface QueueProgressOptions {
  readonly isSingleLane: boolean;
  readonly inFlightMax: number;
  readonly laneEntriesMax: number;
}

export class QueueProgress {
  /** The lanes there are: four, or one where events are ordered. */
  readonly lanes: readonly LaneQueue[];
  /** The lane of each priority. */
  readonly byLane: readonly LaneQueue[];
  readonly #options: QueueProgressOptions;
  readonly #inherited = new Inherited();

  constructor(floor: Position, options: QueueProgressOptions) {
    this.#options = options;
    this.lanes = (options.isSingleLane ? LANES.slice(0, 1) : LANES).map(
      () => new LaneQueue(floor, options.laneEntriesMax),
    );
    this.byLane = LANES.map((lane) => this.lanes[lane] ?? this.lanes[0]!);
  }

  /** Takes up where an earlier owner stopped; returns the highest position that was settled. */
  recover(progress: JsonObject | undefined, head: Position, forgetsWindow: boolean): Position {
    const highest = this.#inherited.recover(progress, head, forgetsWindow);
    const lanes = lanesOf(progress);
    for (const queue of this.lanes) {
      const numbers = LANES.filter((lane) => this.byLane[lane] === queue && lanes?.[lane]);
      if (numbers.length === 0) continue;
      queue.cursor = Math.min(...numbers.map((lane) => this.#inherited.past(lane)));
      // Where priorities become one lane: what was reserved for one of them was not for the others.
      queue.reserved = Math.min(...numbers.map((lane) => lanes![lane]![1]));
    }
    return highest;
  }

  /** What an earlier owner left of an event that the read-back scan has come to. */
  leftOf(lane: LaneQueue, number: Lane, position: Position): 'settled' | 'suspect' | 'nothing' {
    // In one lane for all, others may wait below what one priority has settled.
    this.#inherited.forgetThrough(number, this.#options.isSingleLane ? lane.floor(lane.cursor) : lane.cursor);
    if (this.#inherited.isSettled(number, position)) return 'settled';
    return this.#inherited.isSuspect(number, position) ? 'suspect' : 'nothing';
  }

  /** Where an event stands: what an earlier owner settled of what the read-back scan has not come to is settled, too. */
  standingOf(number: Lane, position: Position): LaneStanding {
    const standing = this.byLane[number]!.standingOf(position);
    return standing.at === 'unread' && this.#inherited.isSettled(number, position) ? { at: 'settled' } : standing;
  }

  /** A debt is settled: a lane that reads back must not take its event for a new one. */
  debtSettled(number: Lane, position: Position): void {
    const lane = this.byLane[number]!;
    if (lane.state !== 'live' && position > lane.cursor) this.#inherited.settle(number, position);
  }

  /** Up to where each lane may attempt once the next commit is durable. `closing` ends the reservation. */
  reservations(routedHead: Position, closing: boolean): Position[] {
    return this.lanes.map((lane, number) => this.#reservation(lane, number as Lane, routedHead, closing));
  }

  reserved(reservations: readonly Position[]): void {
    for (const [at, lane] of this.lanes.entries()) lane.reserved = reservations[at]!;
  }

  /** A commit failed that may be durable all the same: what it ends does not count any more. */
  notReserved(reservations: readonly Position[]): void {
    for (const [at, lane] of this.lanes.entries()) lane.reserved = Math.min(lane.reserved, reservations[at]!);
  }

  record(routedHead: Position, reserved: readonly Position[]): JsonObject {
    const lanes: LaneRecord[] = [];
    for (const number of LANES) {
      const lane = this.byLane[number]!;
      const floor = lane.floor(routedHead);
      const own = lane.settledAboveFloor();
      const inherited = this.#inherited.settledAbove(number, floor);
      const settled = inherited.length === 0 ? own : [...own, ...inherited];
      if (!this.#options.isSingleLane) {
        lanes.push([floor, reserved[number]!, settled]);
        continue;
      }
      const suspectThrough = this.#inherited.suspectsBehind(number, lane.cursor);
      const past = Math.max(floor, this.#inherited.past(number));
      lanes.push([past, Math.max(reserved[0]!, suspectThrough), mergedRanges(settled)]);
    }
    return { lanes } as unknown as JsonObject;
  }

  /** What a queue that takes over in this process needs to know: nothing is reserved. */
  handOver(routedHead: Position): JsonObject {
    const floors = this.lanes.map((lane) => lane.floor(routedHead));
    return this.record(routedHead, floors);
  }

  #reservation(lane: LaneQueue, number: Lane, routedHead: Position, closing: boolean): Position {
    const { isSingleLane, inFlightMax } = this.#options;
    // Suspects that the scan has not come to are as suspect to whoever comes next.
    const suspectThrough = isSingleLane ? 0 : this.#inherited.suspectsBehind(number, lane.cursor);
    if (closing) return Math.max(lane.floor(routedHead), suspectThrough);
    // A lane that reads back may be far behind: reserved up to the head, a crash would make suspects of all in between.
    const known = lane.state === 'live' ? routedHead : lane.cursor;
    const ahead = lane.peekAhead(inFlightMax - 1) ?? known + 2 * inFlightMax;
    return Math.max(lane.reserved, ahead);
  }
}

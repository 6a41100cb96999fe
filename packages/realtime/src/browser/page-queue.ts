/**
 * What waits for one page, in the order of the log, up to a number of events and of their bytes.
 *
 * Beyond either the least urgent event that there is gives way, the oldest of its lane first: LOW, then NORMAL, HIGH and CRITICAL.
 * What gave way is counted until the page is told, with the cursor from where it can be read again. What says something
 * about the log itself (a gap) never gives way.
 */
import type { PriorityName } from '@event-manager/core';

export interface QueuedFrame {
  readonly bytes: Uint8Array;
  readonly cursor: string;
  /** Of an event; `undefined` for what is never shed. */
  readonly lane: number | undefined;
}

/** What a page did not get. */
export interface Shed {
  readonly counts: Readonly<Record<PriorityName, number>>;
  /** A stream from here has all of them, and what the page has already among them. */
  readonly after: string;
  /** The last of them. */
  readonly through: string;
}

export const LANE_NAMES: readonly PriorityName[] = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW'];
/** Behind those of the events. */
const NEVER_SHED = LANE_NAMES.length;
/** So many taken entries may lie in front of a lane before it is copied. */
const TAKEN_MAX = 1_024;
/** Pages at one place of the log wait for the same bytes, so many slow ones take little more than one. */
const BYTES_MAX = 64 * 1_024 * 1_024;

export class PageQueue {
  readonly #max: number;
  readonly #bytesMax: number;
  readonly #lanes: Lane[] = Array.from({ length: NEVER_SHED + 1 }, () => new Lane());
  #sequence = 0;
  #size = 0;
  #bytes = 0;
  #shed: { counts: Record<PriorityName, number>; after: string; through: string; sequence: number } | undefined;

  constructor(max: number, bytesMax: number = BYTES_MAX) {
    this.#max = max;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#size;
  }

  /** `sent` is the cursor up to where the page has everything. Answers with the lanes that something was shed from. */
  push(frame: QueuedFrame, sent: string): readonly PriorityName[] {
    const lane = frame.lane ?? NEVER_SHED;
    const shed: PriorityName[] = [];
    while (!this.#hasRoom(frame)) {
      const victim = this.#leastUrgent(lane);
      if (victim === undefined) break;
      const sequence = this.#lanes[victim]!.sequence;
      const { cursor } = sequence === undefined ? frame : this.#take(victim);
      shed.push(LANE_NAMES[victim]!);
      this.#note(LANE_NAMES[victim]!, { cursor, sequence: sequence ?? this.#sequence, sent });
      if (sequence === undefined) return shed;
    }
    this.#add(frame, lane);
    return shed;
  }

  /** The oldest of all. */
  shift(): QueuedFrame | undefined {
    let first: number | undefined;
    for (let lane = 0; lane <= NEVER_SHED; lane++) {
      const sequence = this.#lanes[lane]!.sequence ?? Number.POSITIVE_INFINITY;
      if (sequence < (first === undefined ? Number.POSITIVE_INFINITY : this.#lanes[first]!.sequence!)) first = lane;
    }
    return first === undefined ? undefined : this.#take(first);
  }

  /** What was shed since it was asked last. */
  takeShed(): Shed | undefined {
    if (!this.#shed) return undefined;
    const { counts, after, through } = this.#shed;
    this.#shed = undefined;
    return { counts, after, through };
  }

  clear(): void {
    for (const lane of this.#lanes) lane.clear();
    this.#size = 0;
    this.#bytes = 0;
    this.#shed = undefined;
  }

  /** What is larger than all that may wait still goes out by itself. */
  #hasRoom({ bytes }: QueuedFrame): boolean {
    if (this.#size === 0) return true;
    return this.#size < this.#max && this.#bytes + bytes.length <= this.#bytesMax;
  }

  /** What gives way now may stand in front of what gave way before. */
  #note(name: PriorityName, { cursor, sequence, sent }: { cursor: string; sequence: number; sent: string }): void {
    this.#shed ??= { counts: { CRITICAL: 0, HIGH: 0, NORMAL: 0, LOW: 0 }, after: sent, through: cursor, sequence };
    this.#shed.counts[name]++;
    if (sequence < this.#shed.sequence) return;
    this.#shed.through = cursor;
    this.#shed.sequence = sequence;
  }

  /** The lane that gives way to one of `lane`, which may be that one itself; `undefined` where nothing may. */
  #leastUrgent(lane: number): number | undefined {
    if (lane === NEVER_SHED) return undefined;
    for (let candidate = NEVER_SHED - 1; candidate > lane; candidate--) {
      if (this.#lanes[candidate]!.sequence !== undefined) return candidate;
    }
    return lane;
  }

  #add(frame: QueuedFrame, lane: number): void {
    this.#lanes[lane]!.push(frame, this.#sequence++);
    this.#size++;
    this.#bytes += frame.bytes.length;
  }

  #take(lane: number): QueuedFrame {
    this.#size--;
    const frame = this.#lanes[lane]!.shift();
    this.#bytes -= frame.bytes.length;
    return frame;
  }
}

/** First in, first out. */
class Lane {
  #entries: { readonly frame: QueuedFrame; readonly sequence: number }[] = [];
  #taken = 0;

  /** Of the oldest entry. */
  get sequence(): number | undefined {
    return this.#entries[this.#taken]?.sequence;
  }

  push(frame: QueuedFrame, sequence: number): void {
    this.#entries.push({ frame, sequence });
  }

  shift(): QueuedFrame {
    const { frame } = this.#entries[this.#taken++]!;
    if (this.#taken === this.#entries.length) this.clear();
    else if (this.#taken > TAKEN_MAX && this.#taken * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#taken);
      this.#taken = 0;
    }
    return frame;
  }

  clear(): void {
    this.#entries = [];
    this.#taken = 0;
  }
}

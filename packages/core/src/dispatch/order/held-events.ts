import type { Position } from '../../contracts/event-store.ts';
import type { LaneQueue } from '../lane-queue.ts';
import type { KeyEntry } from './key-entry.ts';

/** Events of one key that wait in the lane: a hot key shall not take the room of the others. */
const HELD_PER_KEY_MAX = 64;

/**
 * The events that wait in their lane behind one of their key that is under way: in memory alone, with the floor before them.
 * So they are bounded, and wait there only for as long as one attempt takes.
 */
export class HeldEvents {
  readonly #max: number;
  /** The keys that have some: to let all out costs no look at the others, of which there may be many. */
  readonly #entries = new Set<KeyEntry>();
  #count = 0;

  /** At most `max` of all keys. */
  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  get entries(): Iterable<KeyEntry> {
    return this.#entries;
  }

  mayHold(entry: KeyEntry): boolean {
    if (entry.hasRange || entry.owed || entry.parked || this.#count >= this.#max) return false;
    if (entry.redriven.length > 0) return false;
    return (entry.underWay > 0 || entry.held.length > 0) && entry.held.length < HELD_PER_KEY_MAX;
  }

  hold(entry: KeyEntry, slot: number, position: Position): void {
    entry.hold(slot, position);
    this.#entries.add(entry);
    this.#count++;
  }

  /** The next one of the key, claimed in its lane; `undefined` when none is held. */
  claimNext(entry: KeyEntry, lane: LaneQueue): { slot: number; position: Position } | undefined {
    const held = entry.takeHeld();
    if (!held) return undefined;
    lane.claimHeld(held.slot);
    this.#left(entry, 1);
    return held;
  }

  /** All of the key leave the lane; returns their positions. */
  letOut(entry: KeyEntry, lane: LaneQueue): readonly Position[] {
    const { held, heldSlots } = entry;
    for (const slot of heldSlots) lane.letOut(slot);
    entry.held = [];
    entry.heldSlots = [];
    this.#left(entry, held.length);
    return held;
  }

  #left(entry: KeyEntry, count: number): void {
    this.#count -= count;
    if (entry.held.length === 0) this.#entries.delete(entry);
  }
}

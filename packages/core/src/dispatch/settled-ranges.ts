import type { Position } from '../contracts/event-store.ts';

/** Both ends inside: every event of the lane between them is settled. */
export type SettledRange = readonly [from: Position, through: Position];

/**
 * What is settled ahead of a lane's floor, as ranges in ascending order. Behind one hanging delivery tens of thousands of
 * others may settle; they are one range, so the progress record stays small.
 */
export class SettledRanges {
  #ranges: SettledRange[] = [];

  /** Adds a range that begins behind all others, as a scan or a record gives them. */
  append(range: SettledRange): void {
    this.#ranges.push(range);
  }

  /** Adds one position anywhere. */
  add(position: Position): void {
    if (this.has(position)) return;
    const at = this.#ranges.findIndex(([from]) => from > position);
    this.#ranges.splice(at < 0 ? this.#ranges.length : at, 0, [position, position]);
  }

  has(position: Position): boolean {
    return this.#ranges.some(([from, through]) => from <= position && position <= through);
  }

  /** Forgets what lies at or below the floor. */
  dropThrough(floor: Position): void {
    if (this.#ranges.length === 0 || this.#ranges[0]![1] > floor) return;
    this.#ranges = this.#ranges.filter(([, through]) => through > floor);
  }

  /** The ranges above the floor. */
  above(floor: Position): SettledRange[] {
    return this.#ranges.filter(([, through]) => through > floor);
  }
}

/** The same positions as few ranges in ascending order. */
export function mergedRanges(ranges: readonly SettledRange[]): SettledRange[] {
  const merged: SettledRange[] = [];
  for (const [from, through] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last && from <= last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], through)];
    else merged.push([from, through]);
  }
  return merged;
}

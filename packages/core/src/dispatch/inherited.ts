import type { Position } from '../contracts/event-store.ts';
import { LANES, type Lane } from '../event/priority.ts';
import type { JsonObject } from '../json.ts';
import { type SettledRange, SettledRanges } from './settled-ranges.ts';

/** Of one priority: everything up to `scanned` and in the ranges is settled or owed, and nothing above `reserved` was attempted. */
export type LaneRecord = readonly [scanned: Position, reserved: Position, settled: readonly SettledRange[]];

/**
 * What an earlier owner of a queue left of each priority, for as long as the scan of the log has not come past it: what is
 * settled, and what may have been attempted and is therefore suspect.
 */
export class Inherited {
  /** Everything at or below is settled or owed. */
  readonly #past: Position[] = [0, 0, 0, 0];
  /** Up to here what is not settled may have been attempted. */
  readonly #suspectThrough: Position[] = [0, 0, 0, 0];
  readonly #settled: readonly SettledRanges[] = LANES.map(() => new SettledRanges());

  /** Reads a progress record; what it knows of positions above `head` is forgotten. Returns the highest of them. */
  recover(progress: JsonObject | undefined, head: Position, forgetsWindow: boolean): Position {
    const lanes = lanesOf(progress);
    let highest = 0;
    for (const lane of LANES) {
      const record = lanes?.[lane];
      if (!record) continue;
      const [scanned, reserved, settled] = record;
      // Planted bug: what was under way when the process died is taken for settled.
      const floor = forgetsWindow ? Math.max(scanned, Math.min(reserved, head)) : scanned;
      this.#past[lane] = Math.min(floor, head);
      this.#suspectThrough[lane] = Math.min(reserved, head);
      highest = Math.max(highest, scanned, settled.at(-1)?.[1] ?? 0);
      for (const [from, through] of settled) {
        if (from <= head) this.#settled[lane]!.append([from, Math.min(through, head)]);
      }
    }
    return highest;
  }

  past(lane: Lane): Position {
    return this.#past[lane]!;
  }

  isSettled(lane: Lane, position: Position): boolean {
    return position <= this.#past[lane]! || this.#settled[lane]!.has(position);
  }

  isSuspect(lane: Lane, position: Position): boolean {
    return position <= this.#suspectThrough[lane]!;
  }

  /** Up to where there are suspects that a scan at `cursor` has not come to; 0 when there are none. */
  suspectsBehind(lane: Lane, cursor: Position): Position {
    return cursor < this.#suspectThrough[lane]! ? this.#suspectThrough[lane]! : 0;
  }

  settle(lane: Lane, position: Position): void {
    this.#settled[lane]!.add(position);
  }

  /** Whoever reads the record of the queue learns by its floor what lies at or below `floor`. */
  forgetThrough(lane: Lane, floor: Position): void {
    this.#settled[lane]!.dropThrough(floor);
  }

  settledAbove(lane: Lane, floor: Position): SettledRange[] {
    return this.#settled[lane]!.above(floor);
  }
}

/** The records of all priorities in a progress record. */
export function lanesOf(progress: JsonObject | undefined): readonly LaneRecord[] | undefined {
  return progress?.['lanes'] as unknown as LaneRecord[] | undefined;
}

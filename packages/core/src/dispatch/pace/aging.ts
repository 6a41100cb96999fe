import { LANES, type Lane } from '../../event/priority.ts';

/** Of so many places one is for a lane that is where it is by its age. */
const PLACES = 4;

/** How long the first of each lane has waited. */
export interface LaneAges {
  /** Something could be claimed from the lane. */
  hasWork(lane: Lane): boolean;
  /** Of the event that would be claimed, milliseconds. */
  ageMs(lane: Lane): number;
}

/**
 * Keeps the less urgent lanes from starving: an event counts one lane more urgent for each `agingMs` that it has waited. A lane
 * that thereby stands beside the most urgent one with something to do has every fourth place; where there are several such
 * lanes they take turns.
 *
 * Not every place: under an overload that lasts, whatever waits is old, and urgent events would wait behind all of it. So the
 * urgent ones keep three quarters of what the receiver takes, and the others are sure of a quarter.
 */
export class Aging {
  readonly #agingMs: number;
  /** Places since an aged lane had one. */
  #since = PLACES - 1;
  /** The aged lane that had the last one. */
  #last: Lane = 0;
  /** The most urgent lane with something to do, when it was asked last. */
  #first: Lane = 0;
  readonly #lanes: LaneAges;

  constructor(agingMs: number, lanes: LaneAges) {
    this.#agingMs = agingMs;
    this.#lanes = lanes;
  }

  /** The lane whose turn it is; `first` is the most urgent one with something to do. Says the same until `took` is called. */
  next(first: Lane): Lane {
    this.#first = first;
    if (this.#since < PLACES - 1) return first;
    const standing = this.#standing(first);
    for (let step = 1; step <= LANES.length; step++) {
      const lane = ((this.#last + step) % LANES.length) as Lane;
      if (lane > first && this.#lanes.hasWork(lane) && this.#standing(lane) <= standing) return lane;
    }
    return first;
  }

  /** `lane` had its turn. */
  took(lane: Lane): void {
    if (lane === this.#first) {
      this.#since++;
      return;
    }
    this.#since = 0;
    this.#last = lane;
  }

  /** The lane that the first event of `lane` counts as. */
  #standing(lane: Lane): number {
    return Math.max(0, lane - Math.floor(this.#lanes.ageMs(lane) / this.#agingMs));
  }
}

import type { Gate } from '../gate.ts';

const NOTHING = -1;

/** What the gate looks at: the subscription whose batches it lets fill. */
export interface BatchState {
  readonly batchSize: number;
  readonly slotsTaken: number;
  /** Receivers that share it: while fewer calls are under way, one of them has nothing to do. */
  readonly width: number;
  readonly queue: {
    readonly unseenCount: number;
    readonly hasReady: boolean;
    readonly isOrdered: boolean;
    readonly lanes: readonly { readonly waiting: number }[];
  };
}

/**
 * Lets a batch fill while the receiver is busy with another one, for `flushIntervalMs` at most. A receiver with nothing to do
 * gets at once what there is, and a CRITICAL event waits for nobody. With one call at a time there is nothing to decide: the
 * batch fills while the call is under way.
 */
export class FullerBatch implements Gate {
  readonly #flushIntervalMs: number;
  readonly #state: BatchState;
  /** Since when something waits for company; -1 when nothing does. */
  #sinceMs = NOTHING;

  constructor(flushIntervalMs: number, state: BatchState) {
    this.#flushIntervalMs = flushIntervalMs;
    this.#state = state;
  }

  get opensAtMs(): number {
    return this.#sinceMs + this.#flushIntervalMs;
  }

  room(nowMs: number): number {
    const { queue, slotsTaken, width, batchSize } = this.#state;
    const waiting = queue.unseenCount;
    if (waiting === 0) {
      this.#sinceMs = NOTHING;
      return Number.POSITIVE_INFINITY;
    }
    if (slotsTaken < width || waiting >= batchSize || queue.hasReady || isUrgent(queue))
      return Number.POSITIVE_INFINITY;
    if (this.#sinceMs === NOTHING) this.#sinceMs = nowMs;
    return nowMs >= this.opensAtMs ? Number.POSITIVE_INFINITY : 0;
  }

  /** Those that stay behind came later than the first, so they may leave no later than it might have. */
  claimed(): void {
    if (this.#state.queue.unseenCount === 0) this.#sinceMs = NOTHING;
  }
}

/** Where order is kept there is one lane, and no hurry in it. */
function isUrgent({ isOrdered, lanes }: BatchState['queue']): boolean {
  return !isOrdered && lanes[0]!.waiting > 0;
}

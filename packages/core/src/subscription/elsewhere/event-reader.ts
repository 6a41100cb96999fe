import type { EventStore, Partition, Position, Recorded } from '../../contracts/event-store.ts';
import type { Bodies } from '../../dispatch/bodies.ts';
import { KeptEvent } from '../../dispatch/kept-event.ts';
import type { Timers } from '../../runtime/clock.ts';

/** Positions asked of the store in one call. */
const READ_MAX = 256;

export interface EventReaderOptions {
  readonly store: EventStore;
  readonly bodies: Bodies;
  readonly partition: Partition;
  readonly timers: Timers;
}

interface Waiting {
  readonly resolve: (record: Recorded | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Reads events by their positions, which is all that letters say of them: those of one turn in one call of the store. */
export class EventReader {
  readonly #options: EventReaderOptions;
  #waiting = new Map<Position, Waiting[]>();

  constructor(options: EventReaderOptions) {
    this.#options = options;
  }

  /** At once where all are in memory; `undefined` for those that cannot be read any more. */
  read(positions: readonly Position[]): readonly (Recorded | undefined)[] | Promise<readonly (Recorded | undefined)[]> {
    const known = positions.map((position) => this.#options.bodies.get(position));
    if (known.every((kept) => kept !== undefined)) return known;
    return Promise.all(known.map((kept, at) => kept ?? this.#ask(positions[at]!)));
  }

  #ask(position: Position): Promise<Recorded | undefined> {
    if (this.#waiting.size === 0) this.#options.timers.soon(() => this.#read());
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(position) ?? [];
      waiting.push({ resolve, reject });
      this.#waiting.set(position, waiting);
    });
  }

  #read(): void {
    const asked = [...this.#waiting];
    this.#waiting = new Map();
    for (let at = 0; at < asked.length; at += READ_MAX) void this.#readSome(asked.slice(at, at + READ_MAX));
  }

  async #readSome(asked: readonly (readonly [Position, readonly Waiting[]])[]): Promise<void> {
    const { store, partition } = this.#options;
    try {
      const records = await store.get(asked.map(([position]) => ({ partition, position })));
      for (const [at, [, waiting]] of asked.entries()) {
        const record = records[at];
        const kept = record && new KeptEvent(record);
        for (const { resolve } of waiting) resolve(kept);
      }
    } catch (error) {
      for (const [, waiting] of asked) for (const { reject } of waiting) reject(error);
    }
  }
}

import type { EventStore, Partition, Position, Recorded } from '../../contracts/event-store.ts';
import type { StateStore } from '../../contracts/state-store.ts';
import type { Bodies } from '../../dispatch/bodies.ts';
import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { KeptEvent } from '../../dispatch/kept-event.ts';
import { RedrivenEvent, redrivenOf } from '../../dispatch/redriven.ts';
import type { Timers } from '../../runtime/clock.ts';

/** Positions asked of the store in one call. */
const READ_MAX = 256;

export interface EventReaderOptions {
  readonly store: EventStore;
  readonly state: StateStore;
  readonly bodies: Bodies;
  readonly partition: Partition;
  readonly timers: Timers;
}

interface Waiting {
  readonly resolve: (record: Recorded | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** What is said of a delivery whose event stands in a dead letter; nothing of one whose event stands in the log. */
export function deadLetterOf(record: Recorded | undefined): { readonly deadLetter?: string } {
  return record instanceof RedrivenEvent ? { deadLetter: record.redriven.letterId } : {};
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

  /** The event of a redriven delivery, which stands in its dead letter, perhaps edited; `undefined` for any other delivery. */
  readOwn(deadLetter: unknown): Promise<readonly (Recorded | undefined)[]> | undefined {
    return typeof deadLetter === 'string' ? this.#readLetter(deadLetter) : undefined;
  }

  async #readLetter(id: string): Promise<readonly (Recorded | undefined)[]> {
    const { state } = this.#options;
    const [key] = await state.get('dead-letter-id', [id]);
    const [entry] = key ? await state.get('dead-letter', [key.value as string]) : [];
    if (!entry) return [undefined];
    const letter = entry.value as unknown as DeadLetter;
    const { runId = '', by = '', event } = letter.closed ?? {};
    return [new RedrivenEvent(redrivenOf(letter, { runId, by, event }))];
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

import type { EventStore, Partition, Position, Recorded } from '../contracts/event-store.ts';
import { KeptEvent } from './kept-event.ts';

/** Positions asked of the store in one call when bodies are missing. */
const LOAD_MAX = 256;

/**
 * The bodies of one partition that are in memory: one copy for all subscriptions, the newest `entriesMax` and at most
 * `bytesMax` of them. Queues hold positions; a body that was dropped is read again from the store when it is claimed.
 */
export class Bodies {
  readonly #store: EventStore;
  readonly #partition: Partition;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #kept = new Map<Position, KeptEvent>();
  #bytes = 0;

  constructor(store: EventStore, partition: Partition, limits: { queueMaxSize: number; queueBytesMax: number }) {
    this.#store = store;
    this.#partition = partition;
    this.#entriesMax = limits.queueMaxSize;
    this.#bytesMax = limits.queueBytesMax;
  }

  get size(): number {
    return this.#kept.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(position: Position): KeptEvent | undefined {
    return this.#kept.get(position);
  }

  keep(record: Recorded): KeptEvent {
    const known = this.#kept.get(record.place.position);
    if (known) return known;
    const kept = record instanceof KeptEvent ? record : new KeptEvent(record);
    this.#kept.set(kept.position, kept);
    this.#bytes += kept.body.length;
    while (this.#kept.size > this.#entriesMax || this.#bytes > this.#bytesMax) {
      if (this.#kept.size === 1) break;
      this.#dropOldest();
    }
    return kept;
  }

  /** Reads the bodies of `positions` (at most 256) that are missing. Resolves with those that cannot be read any more. */
  async load(positions: readonly Position[]): Promise<readonly Position[]> {
    const missing = positions.slice(0, LOAD_MAX).filter((position) => !this.#kept.has(position));
    const partition = this.#partition;
    const records = await this.#store.get(missing.map((position) => ({ partition, position })));
    const unreadable: Position[] = [];
    records.forEach((record, index) => {
      if (record) this.keep(record);
      else unreadable.push(missing[index]!);
    });
    return unreadable;
  }

  #dropOldest(): void {
    const [position, kept] = this.#kept.entries().next().value!;
    this.#kept.delete(position);
    this.#bytes -= kept.body.length;
    kept.dropped();
  }
}

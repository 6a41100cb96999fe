import type { EventStore, Partition, Position, Recorded } from '../contracts/event-store.ts';
import { KeptEvent } from './kept-event.ts';
import { RecordedTimes } from './pace/recorded-times.ts';

/** Positions asked of the store in one call when bodies are missing. */
const LOAD_MAX = 256;

/**
 * The bodies of one partition that are in memory: one copy for all subscriptions. Queues hold positions; a body that was
 * dropped is read again from the store when it is claimed.
 *
 * A direct-mapped table: position modulo size is the slot, and a newcomer replaces whoever sits there. Positions grow by
 * about one, so the table holds the newest events, with an older one in between where a slow subscription reads back.
 * (A Map in order of insertion was tried: dropping its oldest entry took a third of the time of a publish.)
 */
export class Bodies {
  /** When they were recorded, also those that were dropped since. */
  readonly times = new RecordedTimes();
  readonly #store: EventStore;
  readonly #partition: Partition;
  readonly #bytesMax: number;
  readonly #hasReaders: () => boolean;
  readonly #slots: (KeptEvent | undefined)[];
  readonly #mask: number;
  #size = 0;
  #bytes = 0;

  /** `hasReaders` is true while streams read along: they want the newest events whether or not a queue does. */
  constructor(
    store: EventStore,
    partition: Partition,
    limits: { queueMaxSize: number; queueBytesMax: number },
    hasReaders: () => boolean = () => false,
  ) {
    this.#store = store;
    this.#partition = partition;
    this.#bytesMax = limits.queueBytesMax;
    this.#hasReaders = hasReaders;
    const capacity = 2 ** Math.floor(Math.log2(Math.max(1, limits.queueMaxSize)));
    this.#slots = new Array<KeptEvent | undefined>(capacity).fill(undefined);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(position: Position): KeptEvent | undefined {
    const kept = this.#slots[position & this.#mask];
    return kept?.position === position ? kept : undefined;
  }

  keep(record: Recorded): KeptEvent {
    const { position } = record.place;
    const slot = position & this.#mask;
    const before = this.#slots[slot];
    if (before?.position === position) return before;
    if (before) this.#drop(slot, before);
    const kept = record instanceof KeptEvent ? record : new KeptEvent(record);
    this.times.note(position, kept.recordedAtMs);
    kept.keeper = this;
    this.#slots[slot] = kept;
    this.#size++;
    this.#bytes += kept.body.length;
    if (this.#bytes > this.#bytesMax) this.#shrink(slot);
    return kept;
  }

  /** Nobody waits for the event any more. Whoever wants it all the same has it read from the store. */
  forget(kept: KeptEvent): void {
    const slot = kept.position & this.#mask;
    if (this.#slots[slot] !== kept || this.#hasReaders()) return;
    this.#slots[slot] = undefined;
    this.#size--;
    this.#bytes -= kept.body.length;
  }

  /** Reads the bodies of `positions` (at most 256) that are missing. Resolves with those that cannot be read any more. */
  async load(positions: readonly Position[]): Promise<readonly Position[]> {
    const missing = positions.slice(0, LOAD_MAX).filter((position) => !this.get(position));
    const partition = this.#partition;
    const records = await this.#store.get(missing.map((position) => ({ partition, position })));
    const unreadable: Position[] = [];
    // The first ones are claimed first, so they are kept last: nothing that follows can take their slots.
    for (let at = missing.length - 1; at >= 0; at--) {
      const record = records[at];
      if (record) this.keep(record);
      else unreadable.push(missing[at]!);
    }
    return unreadable;
  }

  /** Drops from the slot behind the newest on: with dense positions that is the oldest. */
  #shrink(newest: number): void {
    for (let slot = (newest + 1) & this.#mask; slot !== newest; slot = (slot + 1) & this.#mask) {
      if (this.#bytes <= this.#bytesMax) return;
      const kept = this.#slots[slot];
      if (kept) this.#drop(slot, kept);
    }
  }

  #drop(slot: number, kept: KeptEvent): void {
    this.#slots[slot] = undefined;
    this.#size--;
    this.#bytes -= kept.body.length;
    kept.dropped();
  }
}

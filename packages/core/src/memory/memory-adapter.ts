import type { AdapterHealth, Supports } from '../contracts/adapter.ts';
import type { Departure, Extent, MovableAdapter, Restoration } from '../contracts/movable-adapter.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import { decodeEvent } from '../event/decode-event.ts';
import type { Event } from '../event/event.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import { systemRuntime } from '../runtime/runtime.ts';
import { MemoryEventStore, type MemoryRuntime } from './memory-event-store.ts';
import { MemoryStateStore } from './memory-state-store.ts';

export interface MemoryOptions {
  readonly runtime?: MemoryRuntime;
  /**
   * How many of the newest events `getHistory` and `find` see. Unbounded when absent. It frees nothing: what is owed is
   * never bounded by it, and every event stays in memory until the adapter itself goes.
   */
  readonly maxHistorySize?: number;
}

const SUPPORTS: Supports = Object.freeze({
  totalOrder: true,
  dedup: 'window',
  query: 'scan',
  shared: false,
  trim: true,
  durability: 'none',
});

/**
 * Keeps everything in this process and promises no durability. It is also the executable specification of the contracts:
 * where another adapter behaves differently and the contract does not say so, the other one is wrong.
 *
 * It never frees an event by itself, delivered or not: memory grows with every publish until somebody calls `store.trim`.
 *
 * What it holds survives `close`: the same object may be opened again and goes on where it was.
 */
export class MemoryAdapter implements MovableAdapter {
  readonly name = 'memory';
  readonly supports = SUPPORTS;
  readonly store: MemoryEventStore;
  readonly state: MemoryStateStore;
  #standing: 'in use' | 'incomplete' | 'moved' = 'in use';

  constructor(options: MemoryOptions = {}) {
    refuseUnknownOptions(options, ['runtime', 'maxHistorySize'] satisfies (keyof MemoryOptions)[], 'memory');
    const { runtime = systemRuntime, maxHistorySize = Number.POSITIVE_INFINITY } = options;
    if (!(maxHistorySize >= 0)) throw new TypeError(`maxHistorySize must be at least 0, not ${maxHistorySize}.`);
    this.store = new MemoryEventStore(runtime, maxHistorySize);
    this.state = new MemoryStateStore(runtime.clock);
  }

  async open(): Promise<void> {
    if (this.#standing === 'moved') throw new EventManagerError('store_moved', 'What was here has moved.');
    if (this.#standing === 'incomplete') throw new EventManagerError('store_incomplete', 'The copy is not whole.');
    this.#setOpen(true);
  }

  async openToLeave(): Promise<Departure> {
    await this.open();
    return {
      complete: async () => {
        this.#standing = 'moved';
      },
    };
  }

  async openToRestore(extent: Extent): Promise<Restoration> {
    const isEmpty = this.store.isEmpty && this.state.isEmpty;
    if (!isEmpty && this.#standing !== 'incomplete') {
      throw new EventManagerError('store_not_empty', 'Something is kept here already.');
    }
    this.#standing = 'incomplete';
    this.store.restoreFrom(extent);
    this.state.clear();
    this.#setOpen(true);
    return {
      write: async (events) => {
        for (const event of events) this.store.restore(event);
      },
      skip: async (unused) => this.store.skipUnused(unused),
      complete: async () => {
        this.store.skipTo(extent.head);
        this.#standing = 'in use';
      },
    };
  }

  async stay(): Promise<void> {
    if (this.#standing === 'moved') this.#standing = 'in use';
  }

  async close(): Promise<void> {
    this.#setOpen(false);
  }

  health(): AdapterHealth {
    return { status: 'ok', facts: { durability: this.supports.durability } };
  }

  /** Nobody else can make this log grow, so there is nothing to hint at. */
  watch(_onHint: () => void): () => void {
    return () => {};
  }

  /** The newest events, oldest first; only those whose topic matches the pattern `topic`, if given. */
  getHistory(topic?: string): readonly Event[] {
    return this.store.history(topic === undefined ? {} : { topic }).map(({ body }) => decodeEvent(body));
  }

  /** Empties the history, between two tests for example. What is owed stays owed. */
  clearHistory(): void {
    this.store.clearHistory();
  }

  #setOpen(isOpen: boolean): void {
    this.store.isOpen = isOpen;
    this.state.isOpen = isOpen;
  }
}

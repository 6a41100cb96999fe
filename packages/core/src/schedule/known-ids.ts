import type { StateStore } from '../contracts/state-store.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Timers } from '../runtime/clock.ts';
import { statePages } from '../state-pages.ts';
import { CountingFilter } from './counting-filter.ts';
import { readDueKey } from './schedule-record.ts';

/** So many at least came before all are counted once more; and as many as there were. */
const COUNT_AFTER = 100_000;

export interface KnownIdsOptions {
  readonly state: StateStore;
  readonly timers: Timers;
  readonly isShared: boolean;
  /** All of them were counted. */
  readonly onCounted: (count: number) => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * The ids of scheduled events, as far as that tells most others from them: a publisher of other events must not wait for a look
 * into the store because something is scheduled.
 *
 * Of a store of its own a process knows each id that comes and goes. Where several share it, one is scheduled by one process
 * and published by another, and nobody can tell an id that it never added from one that it did: to take that out would take out a
 * part of others. So there nothing is taken out, and what is kept is counted anew now and then. What another process scheduled
 * since the last count is not known here; whoever publishes under such an id is answered by the log, when its time has come.
 */
export class KnownIds {
  readonly #options: KnownIdsOptions;
  readonly #counting: OneAtATime;
  #filter = new CountingFilter();
  /** While they are counted: what comes has to be in either. */
  #next: CountingFilter | undefined;
  #added = 0;
  #counted = 0;

  constructor(options: KnownIdsOptions) {
    this.#options = options;
    this.#counting = new OneAtATime(
      () => this.count(),
      (error) => {
        // The store may be away for a moment; the next one that comes has it counted again.
        if (!isEventManagerError(error)) options.onFailure(error);
      },
    );
  }

  /** False is certain, of what this process knows. */
  mayHold(id: string): boolean {
    return this.#filter.mayHold(id);
  }

  add(id: string): void {
    this.#filter.add(id);
    this.#next?.add(id);
    this.#added++;
    if (this.#options.isShared && this.#added >= Math.max(COUNT_AFTER, this.#counted)) this.#counting.poke();
  }

  /** To be called once for each id that is kept no more. */
  remove(id: string): void {
    if (!this.#options.isShared) this.#filter.remove(id);
  }

  /** Reads all that are kept, a page in a turn of the event loop. */
  async count(): Promise<void> {
    const { state, timers, onCounted } = this.#options;
    const next = new CountingFilter();
    this.#next = next;
    this.#added = 0;
    let count = 0;
    try {
      for await (const page of statePages(state, 'schedule-due')) {
        for (const { key } of page) next.add(readDueKey(key).id);
        count += page.length;
        if (this.#counting.isStopped) return;
        await new Promise<void>((resolve) => timers.soon(resolve));
      }
    } finally {
      this.#next = undefined;
    }
    this.#filter = next;
    this.#counted = count;
    onCounted(count);
  }

  async stop(): Promise<void> {
    await this.#counting.stop();
  }
}

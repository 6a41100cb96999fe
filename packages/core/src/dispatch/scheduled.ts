import type { StateStore } from '../contracts/state-store.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import { DEAD_LETTER } from '../event/flags.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { Limits } from '../limits.ts';
import { SYSTEM } from '../principal.ts';
import type { Cancel, Timers } from '../runtime/clock.ts';
import { callAsBus } from '../sink/handler-calls.ts';
import { OneAtATime } from './one-at-a-time.ts';

const PAGE = 100;
const AGAIN_AFTER_MS = 1_000;
/** Such an event carries the original and the reason besides. */
const EXTRA_BYTES = 64 * 1024;

/**
 * Appends the events that a commit has promised: schedule records under `dead-letter/`. Appended first, removed after; a
 * crash in between appends again under the same id, which is answered as a duplicate. Woken by commits, hints and the start.
 */
export class Scheduled {
  readonly #state: StateStore;
  readonly #ingest: Ingest;
  readonly #limits: Limits;
  readonly #draining: OneAtATime;

  #cancel: Cancel | undefined;

  constructor(options: { state: StateStore; ingest: Ingest; limits: Limits; timers: Timers }) {
    this.#state = options.state;
    this.#ingest = options.ingest;
    this.#limits = { ...options.limits, eventBytesMax: options.limits.eventBytesMax + EXTRA_BYTES };
    // A failure leaves the records where they are: a full disk must not make them wait for the next dead letter.
    this.#draining = new OneAtATime(
      () => this.#drain(),
      () => {
        this.#cancel?.();
        this.#cancel = options.timers.after(AGAIN_AFTER_MS, () => {
          this.#cancel = undefined;
          this.wake();
        });
      },
    );
  }

  /** Nothing is left to append, as far as this process knows: what failed waits to be tried again. */
  get isIdle(): boolean {
    return this.#draining.isIdle && this.#cancel === undefined;
  }

  wake(): void {
    this.#draining.poke();
  }

  async stop(): Promise<void> {
    await this.#draining.stop();
    this.#cancel?.();
  }

  async #drain(): Promise<void> {
    while (!this.#draining.isStopped) {
      const page = await this.#state.load('schedule', { prefix: 'dead-letter/', limit: PAGE });
      if (page.entries.length === 0) return;
      await Promise.all(page.entries.map((entry) => this.#append(entry.value)));
      await this.#state.commit(page.entries.map(({ key }) => ({ kind: 'schedule' as const, key })));
    }
  }

  async #append(event: unknown): Promise<void> {
    try {
      // The bus does not wait for anybody's handler: a close that waits for this would wait for it too.
      await callAsBus(() => this.#ingest.publish(SYSTEM, event, { flags: DEAD_LETTER, limits: this.#limits }));
    } catch (error) {
      // An event that can never be appended must not hold up the others; its letter is kept in any case.
      if (isEventManagerError(error) && !error.retryable && error.kind !== 'closed') return;
      throw error;
    }
  }
}

import { type DiskFile, EventManagerError, isEventManagerError, type Runtime } from '@event-manager/core';

const ADVICE = 'Restart it to recover what is durable.';

/**
 * Whether the store may still be trusted. After a failed sync nobody knows which bytes the disk holds, and a second sync
 * would answer "fine" about pages the kernel has dropped. So the first failure that cannot be explained ends everything:
 * every waiting and later append or commit is refused with `store_failed`, nothing is deleted, and only a restart, which
 * reads what is really there, recovers. That holds for what was under way as well: whoever waited for the disk asks again
 * before the answer goes out.
 */
export class FailStop {
  #reason: EventManagerError | undefined;

  get failed(): boolean {
    return this.#reason !== undefined;
  }

  /** What happened first, without paths. */
  get reason(): string | undefined {
    return this.#reason?.message;
  }

  /** Enters the failed state, or keeps the first reason; returns the error to refuse with. */
  stop(step: string, cause: unknown, advice: string = ADVICE): EventManagerError {
    if (this.#reason === undefined) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      const text = `The store stopped: ${step} failed (${code}). ${advice}`;
      this.#reason = new EventManagerError('store_failed', text, { step }, cause);
    }
    return this.#reason;
  }

  assertRunning(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Syncs once. A file whose sync failed is never synced again, and one that ends after a failure elsewhere counts for nothing. */
  async sync(file: DiskFile, step: string, runtime: Runtime): Promise<void> {
    this.assertRunning();
    try {
      await file.sync();
    } catch (error) {
      if (runtime.planted.has('sync-again-after-failure')) return file.sync();
      throw isEventManagerError(error, 'store_failed') ? error : this.stop(step, error);
    }
    this.assertRunning();
  }
}

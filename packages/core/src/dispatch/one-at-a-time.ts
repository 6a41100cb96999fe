import type { EventManagerError } from '../errors/event-manager-error.ts';
import { mayPass } from '../errors/may-pass.ts';
import type { Cancel, Timers } from '../runtime/clock.ts';

const AGAIN_AFTER_MS = 500;

/**
 * Runs something asynchronous once at a time, and once more if it was asked for meanwhile: for work that several events
 * may call for. The last look at `#again` and the end of the run happen without an await between them, so no call is
 * lost in the gap.
 *
 * With timers, a run that a store ended by what may pass is no failure: it is `trouble`, and there is another run after a while.
 */
export class OneAtATime {
  readonly #work: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #timers: Timers | undefined;
  #trouble: EventManagerError | undefined;
  #cancel: Cancel | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(work: () => Promise<void>, onFailure: (error: unknown) => void, timers?: Timers) {
    this.#work = work;
    this.#onFailure = onFailure;
    this.#timers = timers;
  }

  /** What ended the last run; it is tried again. */
  get trouble(): EventManagerError | undefined {
    return this.#trouble;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Runs now, or again when the run under way ends. */
  poke(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Resolves when the run under way ended, if there is one. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Nothing runs any more once it resolved. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#work();
      }
      this.#trouble = undefined;
    } catch (error) {
      if (this.#timers && mayPass(error)) this.#runLater(this.#timers, error);
      else this.#onFailure(error);
    } finally {
      this.#running = undefined;
    }
  }

  #runLater(timers: Timers, trouble: EventManagerError): void {
    this.#trouble = trouble;
    this.#cancel?.();
    if (!this.#stopped) this.#cancel = timers.after(AGAIN_AFTER_MS, () => this.poke());
  }
}

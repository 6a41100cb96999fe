/**
 * Runs something asynchronous once at a time, and once more if it was asked for meanwhile: for work that several events
 * may call for. The last look at `#again` and the end of the run happen without an await between them, so no call is
 * lost in the gap.
 */
export class OneAtATime {
  readonly #work: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  constructor(work: () => Promise<void>, onFailure: (error: unknown) => void) {
    this.#work = work;
    this.#onFailure = onFailure;
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
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#work();
      }
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#running = undefined;
    }
  }
}

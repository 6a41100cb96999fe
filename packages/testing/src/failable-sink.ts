import type { DeliverOptions, Delivery, Outcome, RealtimeState, Sink } from '@event-manager/core';

const RELEASED: Outcome = { status: 'release' };

/** A way out that can be lost at the word of a test, as a connection is: what is under way comes back and nothing more goes out. */
export class FailableSink implements Sink {
  readonly #inner: Sink;
  /** What was handed over and not answered. */
  readonly #losing = new Set<() => void>();
  #isFailing: boolean;
  #onChange: () => void = () => {};

  constructor(inner: Sink, isFailing: boolean) {
    this.#inner = inner;
    this.#isFailing = isFailing;
  }

  get single(): boolean {
    return this.#inner.single === true;
  }

  get isUp(): boolean {
    return !this.#isFailing && this.#inner.isUp !== false;
  }

  get room(): number {
    return this.#inner.room ?? Number.POSITIVE_INFINITY;
  }

  get realtime(): RealtimeState | undefined {
    const { realtime } = this.#inner;
    if (!realtime || !this.#isFailing) return realtime;
    return { ...realtime, connected: false, lastError: { code: 'simulated', message: 'A test lost the connection.' } };
  }

  watch(onChange: () => void): void {
    this.#onChange = onChange;
    this.#inner.watch?.(onChange);
  }

  turn(isFailing: boolean): void {
    this.#isFailing = isFailing;
    if (isFailing) for (const lose of [...this.#losing]) lose();
    this.#onChange();
  }

  async deliver(batch: readonly Delivery[], options: DeliverOptions): Promise<readonly Outcome[]> {
    const released = batch.map(() => RELEASED);
    if (this.#isFailing) return released;
    const lost = Promise.withResolvers<readonly Outcome[]>();
    const lose = () => lost.resolve(released);
    this.#losing.add(lose);
    try {
      return await Promise.race([this.#inner.deliver(batch, options), lost.promise]);
    } finally {
      this.#losing.delete(lose);
    }
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

import type { ActiveSubscription } from '../../dispatch/active-subscription.ts';

/** Lets the runs that look at letters of one subscription do so one after the other, and keep their rate together. */
export class LetterTurns {
  /** When the next redriven debt of each may be due, on the monotonic clock. */
  readonly slots = new WeakMap<ActiveSubscription, number>();
  readonly #last = new WeakMap<ActiveSubscription, Promise<unknown>>();

  async take<Result>(subscription: ActiveSubscription, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(subscription) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#last.set(
      subscription,
      mine.catch(() => {}),
    );
    return mine;
  }
}

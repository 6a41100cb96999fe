/**
 * Ends attempts that take longer than the time of their subscription.
 *
 *     running ──deadline──▶ abandoned: settled as failed, signal aborted, slot still taken
 *                               └──the sink returns, or 30 s of grace──▶ slot free
 *
 * One entry of the timetable per subscription: the attempts of a subscription stand in the order of their deadlines.
 */
import type { Outcome } from '../contracts/sink.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Attempt } from './deliver.ts';
import type { Timetable } from './timetable.ts';

/** How long a slot stays taken by a sink that ignores its aborted signal. */
const GRACE_MS = 30_000;

export interface DeadlinesOptions {
  readonly clock: Clock;
  readonly timetable: Timetable;
  /** One delivery of an abandoned attempt ends like this. */
  readonly settle: (attempt: Attempt, at: number, outcome: Outcome, nowMs: number) => void;
  /** An attempt was given up at `nowMs`; what it had is settled. */
  readonly onAbandoned: (attempt: Attempt, nowMs: number) => void;
  readonly freeSlot: (subscription: ActiveSubscription) => void;
  readonly wake: (subscription: ActiveSubscription) => void;
}

export class Deadlines {
  readonly #options: DeadlinesOptions;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
  }

  /** An attempt of `subscription` is under way. */
  arm(subscription: ActiveSubscription): void {
    if (subscription.deadlineEntry) return;
    let attempt = subscription.attempts.first;
    // Those that were given up stand before it while they wait for their grace.
    while (attempt && attempt.state !== 'running') attempt = attempt.later;
    if (!attempt) return;
    const entry = { dueAtMs: attempt.deadlineAtMs, due: () => this.#onDeadline(subscription) };
    subscription.deadlineEntry = entry;
    this.#options.timetable.add(entry);
  }

  /** Nobody serves the subscription any more: an entry for an hour would hold its whole queue as long. */
  forget(subscription: ActiveSubscription): void {
    if (subscription.deadlineEntry) this.#options.timetable.remove(subscription.deadlineEntry);
    subscription.deadlineEntry = undefined;
  }

  /** The sink of an abandoned attempt has returned: nobody waits for the end of its grace any more. */
  returned(attempt: Attempt): void {
    if (attempt.grace) this.#options.timetable.remove(attempt.grace);
    attempt.grace = undefined;
    this.#letGo(attempt);
  }

  #onDeadline(subscription: ActiveSubscription): void {
    subscription.deadlineEntry = undefined;
    const nowMs = this.#options.clock.monotonicMs();
    for (const attempt of subscription.attempts) {
      if (attempt.deadlineAtMs > nowMs) break;
      if (attempt.state === 'running') this.#timeOut(attempt, nowMs);
    }
    this.arm(subscription);
    this.#options.wake(subscription);
  }

  #timeOut(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    attempt.abandon();
    const { timeoutMs } = subscription.definition.options;
    const error = { code: 'timeout', message: `No answer within ${timeoutMs} ms.` };
    subscription.queue.linger(attempt);
    for (let at = 0; at < attempt.batch.length; at++) {
      this.#options.settle(attempt, at, attempt.settledAt(at) ?? { status: 'retry', error }, nowMs);
    }
    this.#options.onAbandoned(attempt, nowMs);
    attempt.grace = {
      dueAtMs: nowMs + GRACE_MS,
      due: () => {
        attempt.grace = undefined;
        this.#letGo(attempt);
        if (subscription.attempts.delete(attempt)) this.#options.freeSlot(subscription);
      },
    };
    this.#options.timetable.add(attempt.grace);
  }

  /** Its keys may go on, also where its slot was freed before because the subscription was taken down. */
  #letGo(attempt: Attempt): void {
    attempt.subscription.queue.letGo(attempt);
    this.#options.wake(attempt.subscription);
  }
}

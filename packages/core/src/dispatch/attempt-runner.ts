/**
 * The life of attempts, from the claim to the free slot.
 *
 *     claimed ──a retry: its number is made durable──▶ begun ──outcomes──▶ settled, slot free
 *        └──out of service meanwhile──▶ released        └──deadline, given up──▶ settled or released; slot free when the sink returns
 */
import type { Outcome } from '../contracts/sink.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Checkpoint } from './checkpoint.ts';
import { Deadlines } from './deadlines.ts';
import { Attempt, deliver } from './deliver.ts';
import { mustWait } from './failure/must-wait.ts';
import { leaseClockMs } from './leases.ts';
import { release, type SettleContext, settle } from './settle.ts';
import type { Timetable } from './timetable.ts';

export interface AttemptRunnerOptions {
  readonly runtime: Runtime;
  readonly timetable: Timetable;
  readonly checkpoint: Checkpoint;
  readonly meter: Meter;
  readonly settleContext: SettleContext;
  readonly wake: (subscription: ActiveSubscription) => void;
}

export class AttemptRunner {
  /** The time while a subscription is served: moves on when an attempt ends, which spares the next one a look at the clock. */
  nowMs = 0;
  /** Nothing begins any more. */
  isStopped = false;
  readonly #options: AttemptRunnerOptions;
  readonly #settleContext: SettleContext;
  readonly #deadlines: Deadlines;
  #idleWaiters: { subscription: ActiveSubscription; isDone: () => boolean; resolve: () => void }[] = [];

  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
    this.#settleContext = options.settleContext;
    this.#deadlines = new Deadlines({
      clock: options.runtime.clock,
      timetable: options.timetable,
      settle: (attempt, at, outcome, nowMs) => this.#settle(attempt, at, outcome, nowMs),
      onAbandoned: (attempt, nowMs) => this.#abandoned(attempt, nowMs),
      freeSlot: (subscription) => this.#freeSlot(subscription),
      wake: options.wake,
    });
  }

  /** Makes an attempt of what was claimed, when its number may be seen. */
  run(subscription: ActiveSubscription, batch: Attempt['batch']): void {
    const first = batch[0]!.claimed;
    subscription.slotsTaken++;
    if (first.owed?.suspect) subscription.suspectUnderWay = true;
    const attempt = new Attempt(subscription, batch);
    if (first.owed && subscription.queue.durable) {
      // The receiver must not see an attempt number that a crash could make us use again.
      subscription.starting.add(attempt);
      this.#options.checkpoint.commitNow(subscription, () => this.#start(attempt));
    } else {
      this.#begin(attempt, this.nowMs);
    }
  }

  /** False when the right to serve it has run out. */
  holdsLease(subscription: ActiveSubscription): boolean {
    return !subscription.held || subscription.held.expiresAtMs > leaseClockMs(this.#options.runtime);
  }

  /** Nobody waits for the deadlines of a subscription that is taken out of service. */
  forget(subscription: ActiveSubscription): void {
    this.#deadlines.forget(subscription);
  }

  /** Resolves when no attempt of `subscription` is under way, or none of those that `isDone` looks at. */
  async idle(subscription: ActiveSubscription, isDone = () => subscription.isIdle()): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push({ subscription, isDone, resolve }));
  }

  /** Looks whose wait for `idle` is over. */
  tellIdle(subscription: ActiveSubscription): void {
    if (this.#idleWaiters.length === 0) return;
    const told = this.#idleWaiters.filter((waiter) => waiter.subscription === subscription && waiter.isDone());
    this.#idleWaiters = this.#idleWaiters.filter((waiter) => !told.includes(waiter));
    for (const waiter of told) waiter.resolve();
  }

  /** Gives up the attempts under way: they cost no failure and stay owed. */
  abandon(subscription: ActiveSubscription): void {
    for (const attempt of [...subscription.starting, ...subscription.attempts]) {
      if (attempt.state === 'running') this.#giveUp(attempt);
    }
    subscription.starting.clear();
    subscription.attempts.clear();
    subscription.slotsTaken = 0;
    this.tellIdle(subscription);
  }

  /** Gives up those of the attempts under way that are named: the others go on. */
  giveBack(subscription: ActiveSubscription, named: ReadonlySet<unknown>): void {
    for (const attempt of subscription.underWay()) {
      if (!named.has(attempt)) continue;
      if (attempt.state === 'running') this.#giveUp(attempt);
      this.#deadlines.returned(attempt);
      if (attempt.subscription.attempts.delete(attempt)) this.#freeSlot(attempt.subscription);
    }
  }

  /** The handler goes on undisturbed, but its answer is not waited for: the delivery stays owed and costs no failure. */
  letGo(attempt: Attempt): void {
    const { subscription } = attempt;
    if (attempt.state === 'running') {
      attempt.state = 'abandoned';
      this.#settleOrRelease(attempt);
    }
    if (subscription.attempts.delete(attempt)) this.#freeSlot(subscription);
  }

  /** The commit that an attempt waited for is durable; the attempt may have been given up meanwhile. */
  #start(attempt: Attempt): void {
    if (!attempt.subscription.starting.delete(attempt)) return;
    const nowMs = this.#options.runtime.clock.monotonicMs();
    if (mustWait(attempt, nowMs)) this.#putBack(attempt);
    else this.#begin(attempt, nowMs);
  }

  #putBack({ subscription, batch }: Attempt): void {
    for (const delivery of batch) release(subscription, delivery, this.#settleContext);
    this.#freeSlot(subscription);
  }

  /** Calls the sink. The time for the attempt counts from `nowMs`: a retry has waited for its commit before. */
  #begin(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    // Taken down or out of its lease while the commit was under way: whoever serves it next may attempt it already.
    if (!subscription.isServing || this.isStopped || !this.holdsLease(subscription)) {
      this.#putBack(attempt);
      return;
    }
    attempt.deadlineAtMs = nowMs + subscription.definition.options.timeoutMs;
    const { batch } = attempt;
    for (const gate of subscription.gates) gate.begun?.(batch.length);
    for (let at = 0; at < batch.length; at++) {
      const { claimed, kept } = batch[at]!;
      // What is replayed was not waited for since it was recorded.
      if (claimed.attempt > 1 || subscription.replay) continue;
      subscription.waits.begun(kept.lane, this.#options.meter.begun(kept.lane, subscription.owedSinceMs(kept), nowMs));
    }
    subscription.attempts.add(attempt);
    this.#options.runtime.failpoint('deliver.before');
    deliver(attempt, this.#onOutcomes);
    if (attempt.state === 'running' && !subscription.sink.keepsTime) this.#deadlines.arm(subscription);
  }

  readonly #onOutcomes = (attempt: Attempt, outcomes: readonly Outcome[]): void => {
    const { subscription } = attempt;
    if (attempt.state === 'abandoned') {
      subscription.count('stale', outcomes.length - attempt.settledCount);
      this.#deadlines.returned(attempt);
      if (subscription.attempts.delete(attempt)) this.#freeSlot(subscription);
      return;
    }
    this.#options.runtime.failpoint('deliver.after');
    attempt.state = 'ended';
    subscription.attempts.delete(attempt);
    const nowMs = this.#options.runtime.clock.monotonicMs();
    this.nowMs = nowMs;
    subscription.progressAtMs = nowMs;
    this.#options.meter.handlerLatency.observe(tookMs(attempt, nowMs));
    for (let at = 0; at < outcomes.length; at++) this.#settle(attempt, at, outcomes[at]!, nowMs);
    this.#freeSlot(subscription);
  };

  #giveUp(attempt: Attempt): void {
    attempt.abandon();
    this.#settleOrRelease(attempt);
  }

  /** What the sink said of single deliveries stands. */
  #settleOrRelease(attempt: Attempt): void {
    const nowMs = this.#options.runtime.clock.monotonicMs();
    for (const [at, delivery] of attempt.batch.entries()) {
      const outcome = attempt.settledAt(at);
      if (outcome) this.#settle(attempt, at, outcome, nowMs);
      else release(attempt.subscription, delivery, this.#settleContext);
    }
  }

  #settle({ subscription, batch }: Attempt, at: number, outcome: Outcome, nowMs: number): void {
    const delivery = batch[at]!;
    if (outcome.status === 'delivered' && !subscription.replay) {
      this.#options.meter.delivered(subscription.owedSinceMs(delivery.kept), nowMs);
    }
    settle(subscription, delivery, outcome, at, this.#settleContext);
  }

  #freeSlot(subscription: ActiveSubscription): void {
    if (subscription.slotsTaken > 0) subscription.slotsTaken--;
    if (subscription.queue.dirty) {
      if (subscription.queue.windowLeft <= 0) this.#options.checkpoint.commitNow(subscription);
      else this.#options.checkpoint.mark(subscription);
    }
    this.#options.wake(subscription);
    this.tellIdle(subscription);
    if (subscription.receiving !== subscription) this.tellIdle(subscription.receiving);
  }

  #abandoned(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    subscription.progressAtMs = nowMs;
    this.#options.meter.handlerLatency.observe(tookMs(attempt, nowMs));
    if (subscription.queue.dirty) this.#options.checkpoint.mark(subscription);
  }
}

/** An attempt remembers its deadline; one time less to keep is one allocation less for each. */
function tookMs({ deadlineAtMs, subscription }: Attempt, nowMs: number): number {
  return nowMs - deadlineAtMs + subscription.definition.options.timeoutMs;
}

/**
 * The one dispatch loop. A subscription that may have something to do is woken; the loop serves the woken ones in turn, a
 * bounded number of deliveries each, until none can claim. It runs in a microtask after what woke it, and yields to input
 * and timers after about ten milliseconds, so that no flood of events holds up the process.
 */
import type { Position } from '../contracts/event-store.ts';
import type { AttemptError, Outcome } from '../contracts/sink.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type ClaimContext, claim } from './claim.ts';
import { Attempt, deliver } from './deliver.ts';
import type { Owed } from './owed.ts';
import { buryExhausted, release, type SettleContext, settle } from './settle.ts';
import { Timetable } from './timetable.ts';

/** Deliveries of one subscription before the next one has its turn. */
const TURN_MAX = 64;
/** Time before the loop lets input and timers run, and deliveries at the most, for a clock that stands still. */
const RUN_MS = 10;
const RUN_MAX = 20_000;
/** Deliveries of a turn before anybody looks at the clock. */
const FREE_OF_CHARGE = 256;
/** How long a slot stays taken by a sink that ignores its aborted signal. */
const GRACE_MS = 30_000;

export interface DispatcherOptions {
  readonly runtime: Runtime;
  readonly bodies: Bodies;
  readonly checkpoint: Checkpoint;
  readonly meter: Meter;
  /** Lanes may have room again. */
  readonly onDrained: () => void;
  readonly onGone: (subscription: ActiveSubscription, reason: AttemptError) => void;
  readonly onFailure: (error: unknown) => void;
}

export class Dispatcher {
  readonly timetable: Timetable;
  readonly #options: DispatcherOptions;
  readonly #woken = new Set<ActiveSubscription>();
  readonly #claimContext: ClaimContext;
  readonly #settleContext: SettleContext;
  #scheduled = false;
  /** Deliveries before the loop yields. */
  #left = RUN_MAX;
  #isRenewing = false;
  #turnEndsAtMs = 0;
  /** The time while a subscription is served: moves on when an attempt ends, which spares the next one a look at the clock. */
  #nowMs = 0;
  #stopped = false;
  #idleWaiters: { subscription: ActiveSubscription; resolve: () => void }[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { clock, timers, chance } = options.runtime;
    this.timetable = new Timetable(clock, timers);
    this.#claimContext = {
      bodies: options.bodies,
      passed: 0,
      wallMs: () => clock.wallMs(),
      needsReservation: (subscription) => options.checkpoint.commitNow(subscription),
      needsBodies: (subscription, positions) => this.#load(subscription, positions),
      exhausted: (subscription, delivery) => buryExhausted(subscription, delivery, this.#settleContext),
    };
    this.#settleContext = {
      clock,
      chance,
      schedule: (subscription, owed) => this.schedule(subscription, owed),
      stop: (subscription, reason) => options.onGone(subscription, reason),
    };
  }

  wake = (subscription: ActiveSubscription): void => {
    if (!subscription.isServing || this.#stopped) return;
    this.#woken.add(subscription);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#run);
  };

  /** Puts a debt into the timetable, or makes it ready at once when its time has come. */
  schedule(subscription: ActiveSubscription, owed: Owed): void {
    owed.onDue = (due) => {
      if (!subscription.isServing || subscription.queue.owed.get(due.position) !== due) return;
      subscription.queue.makeReady(due);
      this.wake(subscription);
    };
    this.timetable.add(owed);
  }

  /** Nothing is claimed any more; attempts under way go on until `abandon`. */
  stop(): void {
    this.#stopped = true;
    this.timetable.clear();
  }

  /** Resolves when no attempt of `subscription` is under way. */
  async idle(subscription: ActiveSubscription): Promise<void> {
    if (subscription.isIdle()) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push({ subscription, resolve }));
  }

  /** Gives up the attempts under way: they cost no failure and stay owed. */
  abandon(subscription: ActiveSubscription): void {
    for (const attempt of [...subscription.starting, ...subscription.attempts]) {
      if (attempt.state !== 'running') continue;
      attempt.abandon();
      const nowMs = this.#options.runtime.clock.monotonicMs();
      for (const [at, delivery] of attempt.batch.entries()) {
        const outcome = attempt.settledAt(at);
        if (outcome) this.#settle(attempt, at, outcome, nowMs);
        else release(subscription, delivery, this.#settleContext);
      }
    }
    subscription.starting.clear();
    subscription.attempts.clear();
    subscription.slotsTaken = 0;
    this.#tellIdle(subscription);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    try {
      for (const subscription of this.#woken) {
        if (this.#isTurnOver()) break;
        this.#woken.delete(subscription);
        const started = this.#serve(subscription, Math.min(TURN_MAX, this.#left));
        this.#left -= started;
        if (started >= TURN_MAX) this.#woken.add(subscription);
      }
    } catch (error) {
      this.#options.onFailure(error);
      return;
    }
    if (this.#woken.size === 0 || this.#scheduled) return;
    this.#scheduled = true;
    this.#options.runtime.timers.soon(this.#run);
  };

  #isTurnOver(): boolean {
    if (this.#left <= 0) return true;
    this.#renewTurn();
    return this.#isRenewing && this.#options.runtime.clock.monotonicMs() >= this.#turnEndsAtMs;
  }

  /**
   * What handlers publish wakes us again in the same turn of the event loop, so the bound holds for the turn, not the run.
   * It is one of time: a bound of 1,024 deliveries let publishers run ahead of a thousand subscriptions until the bodies
   * had to be read back from disk.
   */
  #renewTurn(): void {
    if (this.#isRenewing || this.#left > RUN_MAX - FREE_OF_CHARGE) return;
    this.#isRenewing = true;
    this.#turnEndsAtMs = this.#options.runtime.clock.monotonicMs() + RUN_MS;
    this.#options.runtime.timers.soon(() => {
      this.#isRenewing = false;
      this.#left = RUN_MAX;
    });
  }

  /** Starts attempts until about `most` deliveries were looked at; returns how many were. */
  #serve(subscription: ActiveSubscription, most: number): number {
    let started = 0;
    this.#nowMs = this.#options.runtime.clock.monotonicMs();
    while (started < most && this.#mayClaim(subscription)) {
      const room = this.#roomAtGates(subscription);
      if (room <= 0) break;
      const batch = claim(subscription, room, this.#claimContext);
      started += this.#claimContext.passed;
      if (!batch) {
        if (this.#claimContext.passed === 0) break;
        this.#nowMs = this.#options.runtime.clock.monotonicMs();
        subscription.progressAtMs = this.#nowMs;
        continue;
      }
      started += batch.length;
      for (const gate of subscription.gates) gate.claimed?.(batch.length, this.#nowMs);
      const first = batch[0]!.claimed;
      subscription.slotsTaken++;
      if (first.owed?.suspect) subscription.suspectUnderWay = true;
      const attempt = new Attempt(subscription, batch);
      if (first.owed && subscription.queue.durable) {
        // The receiver must not see an attempt number that a crash could make us use again.
        subscription.starting.add(attempt);
        this.#options.checkpoint.commitNow(subscription, () => this.#start(attempt));
      } else {
        this.#begin(attempt, this.#nowMs);
      }
    }
    if (subscription.queue.dirty) this.#options.checkpoint.mark(subscription);
    for (const lane of subscription.queue.lanes) {
      if (lane.state === 'overflowed' && lane.wantsReading) {
        this.#options.onDrained();
        break;
      }
    }
    return started;
  }

  #mayClaim(subscription: ActiveSubscription): boolean {
    return (
      subscription.isServing &&
      !this.#stopped &&
      !subscription.isLoading &&
      subscription.definition.state === 'active' &&
      subscription.concurrencyLeft > 0 &&
      subscription.queue.windowLeft > 0 &&
      this.#holdsLease(subscription)
    );
  }

  #holdsLease(subscription: ActiveSubscription): boolean {
    return !subscription.held || subscription.held.expiresAtMs > this.#options.runtime.clock.monotonicMs();
  }

  /** The narrowest gate decides; a closed one is looked at again when it says. */
  #roomAtGates(subscription: ActiveSubscription): number {
    const nowMs = this.#nowMs;
    let room = Number.POSITIVE_INFINITY;
    for (const gate of subscription.gates) {
      room = Math.min(room, gate.room(nowMs));
      if (room > 0) continue;
      this.#askAgain(subscription, gate.opensAtMs);
      return 0;
    }
    return room;
  }

  #askAgain(subscription: ActiveSubscription, atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY || subscription.gateArmedForMs === atMs) return;
    subscription.gateArmedForMs = atMs;
    this.timetable.add({ dueAtMs: atMs, due: () => this.wake(subscription) });
  }

  /** The commit that an attempt waited for is durable; the attempt may have been given up meanwhile. */
  #start(attempt: Attempt): void {
    if (!attempt.subscription.starting.delete(attempt)) return;
    this.#begin(attempt, this.#options.runtime.clock.monotonicMs());
  }

  /** Calls the sink. The time for the attempt counts from `nowMs`: a retry has waited for its commit before. */
  #begin(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    // Taken down or out of its lease while the commit was under way: whoever serves it next may attempt it already.
    if (!subscription.isServing || this.#stopped || !this.#holdsLease(subscription)) {
      for (const delivery of attempt.batch) release(subscription, delivery, this.#settleContext);
      this.#freeSlot(subscription);
      return;
    }
    attempt.deadlineAtMs = nowMs + subscription.definition.options.timeoutMs;
    const { batch } = attempt;
    for (let at = 0; at < batch.length; at++) {
      const { claimed, kept } = batch[at]!;
      if (claimed.attempt === 1) this.#options.meter.begun(kept.lane, subscription.owedSinceMs(kept), nowMs);
    }
    subscription.attempts.add(attempt);
    this.#options.runtime.failpoint('deliver.before');
    deliver(attempt, this.#onOutcomes);
    if (attempt.state === 'running') this.#armDeadline(subscription);
  }

  readonly #onOutcomes = (attempt: Attempt, outcomes: readonly Outcome[]): void => {
    const { subscription } = attempt;
    if (attempt.state === 'abandoned') {
      subscription.count('stale', outcomes.length - attempt.settledCount);
      if (subscription.attempts.delete(attempt)) this.#freeSlot(subscription);
      return;
    }
    this.#options.runtime.failpoint('deliver.after');
    attempt.state = 'ended';
    subscription.attempts.delete(attempt);
    const nowMs = this.#options.runtime.clock.monotonicMs();
    this.#nowMs = nowMs;
    subscription.progressAtMs = nowMs;
    this.#options.meter.handlerLatency.observe(tookMs(attempt, nowMs));
    for (let at = 0; at < outcomes.length; at++) this.#settle(attempt, at, outcomes[at]!, nowMs);
    this.#freeSlot(subscription);
  };

  #settle({ subscription, batch }: Attempt, at: number, outcome: Outcome, nowMs: number): void {
    const delivery = batch[at]!;
    if (outcome.status === 'delivered') {
      this.#options.meter.delivered(subscription.owedSinceMs(delivery.kept), nowMs);
    }
    settle(subscription, delivery, outcome, this.#settleContext);
  }

  #freeSlot(subscription: ActiveSubscription): void {
    if (subscription.slotsTaken > 0) subscription.slotsTaken--;
    if (subscription.queue.dirty) {
      if (subscription.queue.windowLeft <= 0) this.#options.checkpoint.commitNow(subscription);
      else this.#options.checkpoint.mark(subscription);
    }
    this.wake(subscription);
    this.#tellIdle(subscription);
  }

  #tellIdle(subscription: ActiveSubscription): void {
    if (this.#idleWaiters.length === 0 || !subscription.isIdle()) return;
    const told = this.#idleWaiters.filter((waiter) => waiter.subscription === subscription);
    this.#idleWaiters = this.#idleWaiters.filter((waiter) => waiter.subscription !== subscription);
    for (const waiter of told) waiter.resolve();
  }

  #armDeadline(subscription: ActiveSubscription): void {
    if (subscription.deadlineArmed) return;
    const first = subscription.attempts.first;
    if (!first) return;
    subscription.deadlineArmed = true;
    this.timetable.add({ dueAtMs: first.deadlineAtMs, due: () => this.#onDeadline(subscription) });
  }

  #onDeadline(subscription: ActiveSubscription): void {
    subscription.deadlineArmed = false;
    const nowMs = this.#options.runtime.clock.monotonicMs();
    for (const attempt of subscription.attempts) {
      if (attempt.deadlineAtMs > nowMs) break;
      if (attempt.state === 'running') this.#timeOut(attempt, nowMs);
    }
    this.#armNextDeadline(subscription, nowMs);
    this.wake(subscription);
  }

  #timeOut(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    attempt.abandon();
    subscription.progressAtMs = nowMs;
    this.#options.meter.handlerLatency.observe(tookMs(attempt, nowMs));
    const timeoutMs = subscription.definition.options.timeoutMs;
    const error = { code: 'timeout', message: `No answer within ${timeoutMs} ms.` };
    for (let at = 0; at < attempt.batch.length; at++) {
      this.#settle(attempt, at, attempt.settledAt(at) ?? { status: 'retry', error }, nowMs);
    }
    this.timetable.add({
      dueAtMs: nowMs + GRACE_MS,
      due: () => {
        if (subscription.attempts.delete(attempt)) this.#freeSlot(subscription);
      },
    });
    if (subscription.queue.dirty) this.#options.checkpoint.mark(subscription);
  }

  /** The next attempt that still runs; abandoned ones before it wait for their grace. */
  #armNextDeadline(subscription: ActiveSubscription, nowMs: number): void {
    for (const attempt of subscription.attempts) {
      if (attempt.state !== 'running' || attempt.deadlineAtMs <= nowMs) continue;
      subscription.deadlineArmed = true;
      this.timetable.add({ dueAtMs: attempt.deadlineAtMs, due: () => this.#onDeadline(subscription) });
      return;
    }
  }

  #load(subscription: ActiveSubscription, positions: readonly Position[]): void {
    subscription.isLoading = true;
    this.#options.bodies
      .load(positions)
      .then((unreadable) => {
        for (const position of unreadable) subscription.unreadable.add(position);
      })
      .catch(this.#options.onFailure)
      .finally(() => {
        subscription.isLoading = false;
        this.wake(subscription);
      });
  }
}

/** An attempt remembers its deadline; one time less to keep is one allocation less for each. */
function tookMs({ deadlineAtMs, subscription }: Attempt, nowMs: number): number {
  return nowMs - deadlineAtMs + subscription.definition.options.timeoutMs;
}

/**
 * The one dispatch loop. A subscription that may have something to do is woken; the loop serves the woken ones in turn, a
 * bounded number of deliveries each, until none can claim. It runs in a microtask after what woke it, and yields to input
 * and timers after about ten milliseconds, so that no flood of events holds up the process.
 */
import type { Position } from '../contracts/event-store.ts';
import type { Outcome } from '../contracts/sink.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type ClaimContext, claim } from './claim.ts';
import { Deadlines } from './deadlines.ts';
import { Attempt, deliver } from './deliver.ts';
import { mustWait } from './failure/must-wait.ts';
import type { ReceiverChange } from './failure/receiver.ts';
import { leaseClockMs } from './leases.ts';
import type { Owed } from './owed.ts';
import { Gatekeeper } from './pace/gatekeeper.ts';
import { buryExhausted, release, type SettleContext, settle } from './settle.ts';
import { Timetable } from './timetable.ts';
import { Turn } from './turn.ts';

/** Deliveries of one subscription before the next one has its turn. */
const TURN_MAX = 64;

export interface DispatcherOptions {
  readonly runtime: Runtime;
  readonly bodies: Bodies;
  readonly checkpoint: Checkpoint;
  readonly meter: Meter;
  /** Lanes may have room again. */
  readonly onDrained: () => void;
  readonly onReceiver: (subscription: ActiveSubscription, change: ReceiverChange) => void;
  readonly onFailure: (error: unknown) => void;
}

export class Dispatcher {
  readonly timetable: Timetable;
  readonly #options: DispatcherOptions;
  readonly #woken = new Set<ActiveSubscription>();
  readonly #claimContext: ClaimContext;
  readonly #settleContext: SettleContext;
  readonly #gatekeeper: Gatekeeper;
  readonly #deadlines: Deadlines;
  readonly #turn: Turn;
  #scheduled = false;
  /** The time while a subscription is served: moves on when an attempt ends, which spares the next one a look at the clock. */
  #nowMs = 0;
  #stopped = false;
  #idleWaiters: { subscription: ActiveSubscription; isDone: () => boolean; resolve: () => void }[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { clock, timers, chance, planted } = options.runtime;
    this.timetable = new Timetable(clock, timers);
    this.#turn = new Turn(options.runtime);
    this.#gatekeeper = new Gatekeeper(this.timetable, this.wake, options.bodies);
    this.#deadlines = new Deadlines({
      clock,
      timetable: this.timetable,
      settle: (attempt, at, outcome, nowMs) => this.#settle(attempt, at, outcome, nowMs),
      onAbandoned: (attempt, nowMs) => this.#abandoned(attempt, nowMs),
      freeSlot: (subscription) => this.#freeSlot(subscription),
      wake: this.wake,
    });
    this.#claimContext = {
      bodies: options.bodies,
      passed: 0,
      wallMs: () => clock.wallMs(),
      needsReservation: (subscription) => options.checkpoint.commitNow(subscription),
      needsBodies: (subscription, positions) => this.#load(subscription, positions),
      exhausted: (subscription, delivery) => buryExhausted(subscription, delivery, this.#settleContext),
      planted,
    };
    this.#settleContext = {
      clock,
      chance,
      planted,
      schedule: (subscription, owed) => this.schedule(subscription, owed),
      onReceiver: options.onReceiver,
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

  /** Nobody waits for the gates and deadlines of a subscription that is taken out of service. */
  forget(subscription: ActiveSubscription): void {
    this.#gatekeeper.forget(subscription);
    this.#deadlines.forget(subscription);
  }

  /** Nothing is claimed any more; attempts under way go on until `abandon`. */
  stop(): void {
    this.#stopped = true;
    this.timetable.clear();
  }

  /** Resolves when no attempt of `subscription` is under way, or none of those that `isDone` looks at. */
  async idle(subscription: ActiveSubscription, isDone = () => subscription.isIdle()): Promise<void> {
    if (isDone()) return;
    await new Promise<void>((resolve) => this.#idleWaiters.push({ subscription, isDone, resolve }));
  }

  /** Gives up the attempts under way: they cost no failure and stay owed. */
  abandon(subscription: ActiveSubscription): void {
    for (const attempt of [...subscription.starting, ...subscription.attempts]) {
      if (attempt.state === 'running') this.#giveUp(attempt);
    }
    subscription.starting.clear();
    subscription.attempts.clear();
    subscription.slotsTaken = 0;
    this.#tellIdle(subscription);
  }

  /** Gives up those of the attempts under way that are named: the others go on. */
  giveBack(subscription: ActiveSubscription, named: ReadonlySet<unknown>): void {
    for (const attempt of subscription.attempts) {
      if (!named.has(attempt)) continue;
      if (attempt.state === 'running') this.#giveUp(attempt);
      this.#deadlines.returned(attempt);
      if (subscription.attempts.delete(attempt)) this.#freeSlot(subscription);
    }
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    try {
      for (const subscription of this.#woken) {
        if (this.#turn.isOver()) break;
        this.#woken.delete(subscription);
        const started = this.#serve(subscription, Math.min(TURN_MAX, this.#turn.left));
        this.#turn.left -= started;
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

  /** Starts attempts until about `most` deliveries were looked at; returns how many were. */
  #serve(subscription: ActiveSubscription, most: number): number {
    let started = 0;
    this.#nowMs = this.#options.runtime.clock.monotonicMs();
    while (started < most && this.#mayClaim(subscription)) {
      const room = this.#gatekeeper.room(subscription, this.#nowMs);
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
      for (const gate of subscription.gates) gate.claimed?.(batch.length, this.#nowMs, batch);
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
    if (subscription.queue.wantsReading) this.#options.onDrained();
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
    return !subscription.held || subscription.held.expiresAtMs > leaseClockMs(this.#options.runtime);
  }

  /** The commit that an attempt waited for is durable; the attempt may have been given up meanwhile. */
  #start(attempt: Attempt): void {
    if (!attempt.subscription.starting.delete(attempt)) return;
    const nowMs = this.#options.runtime.clock.monotonicMs();
    if (mustWait(attempt, nowMs)) this.#giveBack(attempt);
    else this.#begin(attempt, nowMs);
  }

  #giveBack({ subscription, batch }: Attempt): void {
    for (const delivery of batch) release(subscription, delivery, this.#settleContext);
    this.#freeSlot(subscription);
  }

  /** Calls the sink. The time for the attempt counts from `nowMs`: a retry has waited for its commit before. */
  #begin(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    // Taken down or out of its lease while the commit was under way: whoever serves it next may attempt it already.
    if (!subscription.isServing || this.#stopped || !this.#holdsLease(subscription)) {
      this.#giveBack(attempt);
      return;
    }
    attempt.deadlineAtMs = nowMs + subscription.definition.options.timeoutMs;
    const { batch } = attempt;
    for (const gate of subscription.gates) gate.begun?.(batch.length);
    for (let at = 0; at < batch.length; at++) {
      const { claimed, kept } = batch[at]!;
      if (claimed.attempt > 1) continue;
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
    this.#nowMs = nowMs;
    subscription.progressAtMs = nowMs;
    this.#options.meter.handlerLatency.observe(tookMs(attempt, nowMs));
    for (let at = 0; at < outcomes.length; at++) this.#settle(attempt, at, outcomes[at]!, nowMs);
    this.#freeSlot(subscription);
  };

  /** What the sink said of single deliveries stands. */
  #giveUp(attempt: Attempt): void {
    attempt.abandon();
    const nowMs = this.#options.runtime.clock.monotonicMs();
    for (const [at, delivery] of attempt.batch.entries()) {
      const outcome = attempt.settledAt(at);
      if (outcome) this.#settle(attempt, at, outcome, nowMs);
      else release(attempt.subscription, delivery, this.#settleContext);
    }
  }

  #settle({ subscription, batch }: Attempt, at: number, outcome: Outcome, nowMs: number): void {
    const delivery = batch[at]!;
    if (outcome.status === 'delivered') {
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
    this.wake(subscription);
    this.#tellIdle(subscription);
  }

  #tellIdle(subscription: ActiveSubscription): void {
    if (this.#idleWaiters.length === 0) return;
    const told = this.#idleWaiters.filter((waiter) => waiter.subscription === subscription && waiter.isDone());
    this.#idleWaiters = this.#idleWaiters.filter((waiter) => !told.includes(waiter));
    for (const waiter of told) waiter.resolve();
  }

  #abandoned(attempt: Attempt, nowMs: number): void {
    const { subscription } = attempt;
    subscription.progressAtMs = nowMs;
    this.#options.meter.handlerLatency.observe(tookMs(attempt, nowMs));
    if (subscription.queue.dirty) this.#options.checkpoint.mark(subscription);
  }

  #load(subscription: ActiveSubscription, positions: readonly Position[]): void {
    const { bodies, runtime } = this.#options;
    subscription.isLoading = true;
    subscription.readAhead.asked(positions, runtime.clock.monotonicMs(), bodies.bytes / Math.max(1, bodies.size));
    bodies
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

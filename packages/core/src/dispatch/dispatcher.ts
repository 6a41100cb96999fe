/**
 * The one dispatch loop. A subscription that may have something to do is woken; the loop serves the woken ones in turn, a
 * bounded number of deliveries each, until none can claim. It runs in a microtask after what woke it, and yields to input
 * and timers after about ten milliseconds, so that no flood of events holds up the process.
 */
import type { Position } from '../contracts/event-store.ts';
import { mayPass } from '../errors/may-pass.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import { AttemptRunner } from './attempt-runner.ts';
import type { Bodies } from './bodies.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type ClaimContext, claim } from './claim.ts';
import type { Attempt } from './deliver.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { ReceiverChange } from './failure/receiver.ts';
import type { Owed } from './owed.ts';
import { Gatekeeper } from './pace/gatekeeper.ts';
import { buryExhausted, type SettleContext } from './settle.ts';
import { Timetable } from './timetable.ts';
import { Turn } from './turn.ts';

/** Deliveries of one subscription before the next one has its turn. */
const TURN_MAX = 64;
const LOAD_AGAIN_MS = 500;

export interface DispatcherOptions {
  readonly runtime: Runtime;
  readonly bodies: Bodies;
  readonly checkpoint: Checkpoint;
  readonly meter: Meter;
  readonly log: DeliveryLog;
  /** Lanes may have room again. */
  readonly onDrained: (subscription: ActiveSubscription) => void;
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
  readonly #runner: AttemptRunner;
  readonly #turn: Turn;
  #scheduled = false;
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { clock, timers, chance, planted } = options.runtime;
    this.timetable = new Timetable(clock, timers);
    this.#turn = new Turn(options.runtime);
    this.#gatekeeper = new Gatekeeper(this.timetable, this.wake, options.bodies);
    this.#claimContext = {
      bodies: options.bodies,
      passed: 0,
      wallMs: () => clock.wallMs(),
      needsReservation: (subscription) => options.checkpoint.commitNow(subscription),
      needsBodies: (subscription, positions) => this.#load(subscription, positions),
      exhausted: (subscription, delivery) => buryExhausted(subscription, delivery, this.#settleContext),
      planted,
      log: options.log,
    };
    this.#settleContext = {
      clock,
      chance,
      planted,
      log: options.log,
      schedule: (subscription, owed) => this.schedule(subscription, owed),
      onReceiver: options.onReceiver,
    };
    this.#runner = new AttemptRunner({
      ...{ runtime: options.runtime, timetable: this.timetable, checkpoint: options.checkpoint, meter: options.meter },
      ...{ settleContext: this.#settleContext, wake: this.wake },
    });
  }

  wake = (subscription: ActiveSubscription): void => {
    if (this.#stopped) return;
    // What goes on beside live deliveries has its turn after them.
    const { receiving } = subscription;
    if (receiving.isServing) this.#woken.add(receiving);
    if (subscription !== receiving && subscription.isServing) this.#woken.add(subscription);
    this.#addReplays(receiving);
    if (this.#scheduled || this.#woken.size === 0) return;
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
    this.#runner.forget(subscription);
  }

  /** Resolves when no attempt of `subscription` is under way, or none of those that `isDone` looks at. */
  idle(subscription: ActiveSubscription, isDone?: () => boolean): Promise<void> {
    return this.#runner.idle(subscription, isDone);
  }

  /** Claims nothing more, and resolves with true when nothing is under way; else, after `patienceMs`, goes on as before. */
  async yield(subscription: ActiveSubscription, patienceMs: number): Promise<boolean> {
    subscription.isYielding = true;
    let isOver = false;
    const giveUp = () => {
      isOver = true;
      this.#runner.tellIdle(subscription);
    };
    const cancel = this.#options.runtime.timers.after(patienceMs, giveUp, true);
    // Calls of its replays are cut off as well when it goes.
    const isIdle = () => subscription.isIdle() && subscription.slotsLent === 0;
    await this.#runner.idle(subscription, () => isOver || isIdle());
    cancel();
    if (isIdle()) return true;
    subscription.isYielding = false;
    this.wake(subscription);
    return false;
  }

  /** Gives up the attempts under way: they cost no failure and stay owed. */
  abandon(subscription: ActiveSubscription): void {
    this.#runner.abandon(subscription);
  }

  /** Gives up those of the attempts under way that are named: the others go on. */
  giveBack(subscription: ActiveSubscription, named: ReadonlySet<unknown>): void {
    this.#runner.giveBack(subscription, named);
  }

  /** The handler goes on undisturbed, but its answer is not waited for: the delivery stays owed and costs no failure. */
  letGo(attempt: Attempt): void {
    this.#runner.letGo(attempt);
  }

  /** Nothing is claimed any more; attempts under way go on until `abandon`. */
  stop(): void {
    this.#stopped = true;
    this.#runner.isStopped = true;
    this.timetable.clear();
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

  #addReplays({ replays }: ActiveSubscription): void {
    if (replays.size === 0) return;
    for (const replay of replays) {
      // Behind the live one, whoever was woken first.
      this.#woken.delete(replay);
      if (replay.isServing) this.#woken.add(replay);
    }
  }

  /** Starts attempts until about `most` deliveries were looked at; returns how many were. */
  #serve(subscription: ActiveSubscription, most: number): number {
    let started = 0;
    this.#runner.nowMs = this.#options.runtime.clock.monotonicMs();
    while (started < most && this.#mayClaim(subscription)) {
      const room = this.#gatekeeper.room(subscription, this.#runner.nowMs);
      if (room <= 0) break;
      const batch = claim(subscription, room, this.#claimContext);
      started += this.#claimContext.passed;
      if (!batch) {
        if (this.#claimContext.passed === 0) break;
        this.#runner.nowMs = this.#options.runtime.clock.monotonicMs();
        subscription.progressAtMs = this.#runner.nowMs;
        continue;
      }
      started += batch.length;
      for (const gate of subscription.gates) gate.claimed?.(batch.length, this.#runner.nowMs, batch);
      this.#runner.run(subscription, batch);
    }
    if (subscription.queue.dirty) this.#options.checkpoint.mark(subscription);
    if (subscription.queue.wantsReading) this.#options.onDrained(subscription);
    subscription.replay?.served();
    // They look at what waits here.
    if (started > 0) this.#addReplays(subscription);
    return started;
  }

  #mayClaim(subscription: ActiveSubscription): boolean {
    return (
      subscription.isServing &&
      !this.#stopped &&
      !subscription.isLoading &&
      !subscription.isYielding &&
      subscription.definition.state === 'active' &&
      subscription.concurrencyLeft > 0 &&
      subscription.queue.windowLeft > 0 &&
      this.#runner.holdsLease(subscription)
    );
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
      .catch(async (error: unknown) => {
        if (mayPass(error)) await this.#pause();
        else this.#options.onFailure(error);
      })
      .finally(() => {
        subscription.isLoading = false;
        this.wake(subscription);
      });
  }

  /** The store is away: it is asked again, and nothing of the subscription is claimed before. */
  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.runtime.timers.after(LOAD_AGAIN_MS, resolve));
  }
}

/**
 * Brings subscriptions into service and takes them out again.
 *
 *     known ──bringUp──▶ serving ──takeDown (settled, committed)──▶ known
 *                         ▲ └──drop (lease lost: nothing may be committed)──▶ known
 *                         └──takeUpAgain (what it was taken down for was refused)── known
 *
 * Bringing up reads the durable progress; from there the read-back scan rebuilds the queue. No event slips through: a lane
 * takes live offers only after its cursor has reached the routed head, and that step is taken without an await.
 */
import type { Contexts } from '../context/contexts.ts';
import type { LostRange, Partition, Position } from '../contracts/event-store.ts';
import type { Sink } from '../contracts/sink.ts';
import type { StateEntry, StateStore } from '../contracts/state-store.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonObject } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { statePages } from '../state-pages.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { PatternIndex } from '../topic/pattern-index.ts';
import { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';
import type { Checkpoint } from './checkpoint.ts';
import { positionKey } from './dead-letter.ts';
import type { Dispatcher } from './dispatcher.ts';
import { followWay } from './failure/follow-way.ts';
import type { ReceiverChange } from './failure/receiver.ts';
import { restoreReceiver } from './failure/restore-receiver.ts';
import type { HeldLease } from './leases.ts';
import { LocalQueue } from './local-queue.ts';
import type { ReadBack } from './offer.ts';
import type { KeyListener } from './order/key-listener.ts';
import type { Parked } from './order/key-record.ts';
import { type KeptKeys, loadKeyRecords, NO_KEYS, openKeys } from './order/open-keys.ts';
import { type KeyMeaning, meaningAfter } from './order/ordering-key.ts';
import { Owed } from './owed.ts';
import { keepPace, rateLimitOf } from './pace/keep-pace.ts';
import { isStillThere, ProgressGuard } from './progress-guard.ts';
import type { QueueKeys } from './queue-options.ts';
import { releasePublishers } from './release-publishers.ts';
import type { ReplayDuty } from './replay-duty.ts';
import { countCrash } from './settle.ts';

export interface ServeOptions {
  readonly partition: Partition;
  readonly state: StateStore;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly meter: Pick<Meter, 'deliveries'>;
  readonly index: PatternIndex<ActiveSubscription>;
  readonly subscriptions: Map<string, ActiveSubscription>;
  readonly contexts: Contexts;
  readonly bodies: Bodies;
  readonly dispatcher: Dispatcher;
  readonly checkpoint: Checkpoint;
  readonly readBack: Pick<ReadBack, 'start'>;
  readonly routedHead: () => Position;
  readonly onReceiver: (subscription: ActiveSubscription, change: ReceiverChange) => void;
  /** A key of an ordered subscription waits until somebody releases it. */
  readonly onKeyParked: (subscription: ActiveSubscription, key: string, parked: Parked) => void;
  /** The log ends before what was settled. */
  readonly onLost: (lost: LostRange) => void;
  readonly beside: BesideService;
}

/** What goes on beside the deliveries of a subscription, for as long as it is served. */
export interface BesideService {
  served(subscription: ActiveSubscription): void;
  /** Resolves when nothing of it is under way, with everything durable. */
  leaving(subscriptionId: string, drainMs: number): Promise<void>;
  /** Nothing may be committed any more. */
  dropped(subscriptionId: string): void;
}

export interface BringUp {
  readonly definition: SubscriptionDefinition;
  readonly sink: Sink;
  /** Outlives the process. */
  readonly durable: boolean;
  /** Where a subscription without a progress record begins. */
  readonly floor: Position;
  /** The queue that this one takes over from in the same process, for what is not durable. */
  readonly predecessor?: LocalQueue | undefined;
  readonly held?: HeldLease | undefined;
  /** It goes on beside another one that is served here. */
  readonly replay?: ReplayDuty | undefined;
}

export class Serving {
  readonly #options: ServeOptions;

  constructor(options: ServeOptions) {
    this.#options = options;
  }

  async bringUp(request: BringUp): Promise<ActiveSubscription> {
    const { limits, meter } = this.#options;
    const { definition, durable, replay } = request;
    const keys = replay?.keys ?? queueKeys(definition.id, this.#options.partition);
    const head = this.#options.routedHead();
    const handed = durable ? undefined : request.predecessor?.handOver(head);
    const prefix = keys.owedPrefix;
    const found = durable ? await this.#progressAt(keys.progress) : undefined;
    const progress = durable ? (found?.value as JsonObject | undefined) : handed?.progress;
    const kept = durable ? await loadKeyRecords(this.#options.state, prefix) : (handed?.kept ?? NO_KEYS);
    if (request.held) await this.#assertStillThere(definition);
    const inFlightMax = Math.min(definition.options.inFlightMax, limits.inFlightMax);
    const { planted } = this.#options.runtime;
    const rateLimit = rateLimitOf(definition, progress, this.#options.runtime);
    const meaning = meaningAfter(progress?.['order'] as KeyMeaning | undefined, definition.options);
    const queue = new LocalQueue(request.floor, {
      keys,
      durable,
      order: meaning,
      inFlightMax,
      laneEntriesMax: limits.laneEntriesMax,
      owedMax: limits.owedMax,
      orderedKeys: openKeys(definition.options, {
        meaning,
        progress,
        head,
        kept,
        durable,
        limits,
        inFlightMax,
        prefix,
        planted,
      }),
      rateLimit,
      forgetsRetries: planted.has('debt-done-before-work'),
      ...(replay ? { isSingleLane: true, beside: () => replay.record() } : {}),
    });
    if (durable) await this.#recover(queue, keys, { progress, kept, head });
    else if (handed) queue.recover(handed.progress, handed.owed, head, handed);
    const subscription = new ActiveSubscription({
      definition,
      known: this.#options.contexts.cellOf(definition),
      sink: request.sink,
      queue,
      limits,
      held: request.held,
      progress: request.held && new ProgressGuard(found),
      chance: this.#options.runtime.chance,
      times: this.#options.bodies.times,
      totals: meter.deliveries,
      replay,
    });
    restoreReceiver(subscription);
    if (!replay?.shares) this.#followReceiver(subscription);
    keepPace(subscription, rateLimit, this.#options.runtime);
    if (queue.keys) queue.keys.listener = this.#listenerOf(subscription);
    this.#enter(subscription);
    return subscription;
  }

  #followReceiver(subscription: ActiveSubscription): void {
    const { receiver, sink } = subscription;
    if (receiver) receiver.onChange = (change) => this.#options.onReceiver(subscription, change);
    followWay(subscription);
    sink.watch?.(() => {
      followWay(subscription);
      this.#options.dispatcher.wake(subscription);
    });
  }

  /** Serves with the queue that was taken down: what it could not commit is still in it, so nothing is attempted again. */
  takeUpAgain(subscription: ActiveSubscription): void {
    subscription.isServing = true;
    subscription.isYielding = false;
    this.#enter(subscription);
  }

  /**
   * Lets attempts under way end for at most `drainMs`, then commits what is settled; nothing is left open. For the attempt
   * whose handler is the `caller` it does not wait: the two would wait for each other.
   */
  async takeDown(subscription: ActiveSubscription, drainMs: number, caller?: unknown): Promise<void> {
    const { dispatcher, checkpoint, runtime, beside } = this.#options;
    await beside.leaving(subscription.id, drainMs);
    this.#withdraw(subscription);
    for (const attempt of subscription.attempts) if (attempt === caller) dispatcher.letGo(attempt);
    if (!subscription.isIdle()) {
      const cancel = runtime.timers.after(drainMs, () => dispatcher.abandon(subscription), true);
      await dispatcher.idle(subscription);
      cancel();
    }
    this.#forgetDebts(subscription);
    await checkpoint.close(subscription);
  }

  /** Ends service at once and commits nothing: the subscription belongs to somebody else by now. */
  drop(subscription: ActiveSubscription): void {
    this.#options.beside.dropped(subscription.id);
    this.#withdraw(subscription);
    this.#options.dispatcher.abandon(subscription);
    this.#forgetDebts(subscription);
  }

  /** Whoever waits for the first attempt of an event that will not be made for now need not wait any longer. */
  releasePublishers(subscription: ActiveSubscription): void {
    releasePublishers(subscription, this.#options.bodies);
  }

  #enter(subscription: ActiveSubscription): void {
    const { index, subscriptions, readBack, dispatcher } = this.#options;
    subscriptions.set(subscription.id, subscription);
    index.add(subscription.pattern, subscription);
    for (const owed of subscription.queue.debtsToTime()) dispatcher.schedule(subscription, owed);
    readBack.start();
    dispatcher.wake(subscription);
    this.#options.beside.served(subscription);
  }

  #withdraw(subscription: ActiveSubscription): void {
    subscription.isServing = false;
    this.#options.index.remove(subscription.pattern, subscription);
    if (this.#options.subscriptions.get(subscription.id) === subscription) {
      this.#options.subscriptions.delete(subscription.id);
    }
    for (const lane of subscription.queue.lanes) lane.leave(this.#options.routedHead());
    this.releasePublishers(subscription);
  }

  /** Whoever serves the subscription next times its debts anew; an hour's retry would hold the whole old queue as long. */
  #forgetDebts(subscription: ActiveSubscription): void {
    for (const owed of subscription.queue.owed.values()) this.#options.dispatcher.timetable.remove(owed);
    this.#options.dispatcher.forget(subscription);
  }

  #listenerOf(subscription: ActiveSubscription): KeyListener {
    const { bodies, onKeyParked } = this.#options;
    return {
      putOff: (position) => {
        const kept = bodies.get(position);
        if (!kept) return;
        subscription.firstAttemptEnded(kept);
        subscription.doneWith(kept);
      },
      expired: (count) => subscription.count('expired', count),
      missing: (count, lost) => subscription.count(lost ? 'removed' : 'withdrawn', count),
      parked: (key, parked) => onKeyParked(subscription, key, parked),
    };
  }

  async #progressAt(key: string): Promise<StateEntry | undefined> {
    const [progress] = await this.#options.state.get('progress', [key]);
    return progress;
  }

  /** After its progress was read: that of one made again under its name would be settled by the definition of the former. */
  async #assertStillThere(definition: SubscriptionDefinition): Promise<void> {
    if (await isStillThere(this.#options.state, definition)) return;
    throw new EventManagerError('lease_lost', 'Another process removed the subscription.', { id: definition.id });
  }

  async #recover(
    queue: LocalQueue,
    keys: QueueKeys,
    { progress, kept, head }: { progress: JsonObject | undefined; kept: KeptKeys; head: Position },
  ): Promise<void> {
    const { runtime } = this.#options;
    const owed = await this.#loadOwed(keys);
    const wallMs = runtime.clock.wallMs();
    const monotonicMs = runtime.clock.monotonicMs();
    for (const entry of owed) {
      if (entry.started) countCrash(entry, wallMs);
      // The wall clock may have jumped while nobody served: a wait is never longer than it was decided.
      const waitMs = Math.min(entry.delayMs, Math.max(0, entry.dueWallMs - wallMs));
      entry.dueAtMs = monotonicMs + waitMs;
    }
    const forgetsWindow = runtime.planted.has('window-lost-at-restart');
    const highest = queue.recover(progress, owed, head, { forgetsWindow, kept });
    // The state is a witness of the log, too: it never knows a position before that is durable.
    if (highest > head) this.#options.onLost({ from: head + 1, through: highest, cause: 'damaged' });
  }

  async #loadOwed(keys: QueueKeys): Promise<Owed[]> {
    const owed: Owed[] = [];
    for await (const page of statePages(this.#options.state, 'owed', keys.owedPrefix)) {
      for (const { key, value } of page) {
        owed.push(Owed.fromJson(Number(key.slice(keys.owedPrefix.length)), value as JsonObject));
      }
    }
    return owed;
  }
}

/** Keys of a subscription's records in the state store. */
export function queueKeys(subscriptionId: string, partition: Partition): QueueKeys {
  const owedPrefix = `${subscriptionId}/${partition}/`;
  return {
    progress: `${subscriptionId}/${partition}`,
    owedPrefix,
    owed: (position) => `${owedPrefix}${positionKey(position)}`,
  };
}

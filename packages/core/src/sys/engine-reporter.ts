import type { EventBusAdapter, Impairment } from '../contracts/adapter.ts';
import type { LostRange } from '../contracts/event-store.ts';
import type { RealtimeState } from '../contracts/sink.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { DeadLetter } from '../dispatch/dead-letter.ts';
import { ReachWatch } from '../dispatch/failure/reach-watch.ts';
import type { ReceiverChange } from '../dispatch/failure/receiver.ts';
import { receiverFacts } from '../dispatch/failure/receiver-facts.ts';
import type { Parked } from '../dispatch/order/key-record.ts';
import { OverflowWatch } from '../dispatch/pace/overflow-watch.ts';
import type { EventManagerError } from '../errors/event-manager-error.ts';
import type { StallChange, StallWatch } from '../health/stall-watch.ts';
import { StoreWatch } from '../health/store-watch.ts';
import type { RemovedDebts } from '../retention/remove-debts.ts';
import type { Run } from '../runs/run.ts';
import type { RunTold } from '../runs/runs.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ScheduledEvent } from '../schedule/scheduled-event.ts';
import type { SubscriptionReset } from '../subscription/resets.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import type { SystemEvents } from './system-events.ts';

const TOPIC_FIELD = '"topic":"';

/** Turns what happens inside the engine into its own events. */
export class EngineReporter {
  readonly store: StoreWatch;
  readonly #options: {
    readonly systemEvents: SystemEvents;
    readonly stallWatch: StallWatch;
    readonly adapter: EventBusAdapter;
    readonly owner: string;
  };
  readonly #overflows: OverflowWatch;
  readonly #reaches: ReachWatch;
  #impairment: Impairment | undefined;

  constructor(options: {
    systemEvents: SystemEvents;
    stallWatch: StallWatch;
    adapter: EventBusAdapter;
    /** Who tells, where several processes share a store. */
    owner: string;
    clock: Clock;
    active: ReadonlyMap<string, ActiveSubscription>;
  }) {
    this.#options = options;
    this.store = new StoreWatch(() => options.adapter.health(), options.clock);
    this.#overflows = new OverflowWatch(options.active);
    this.#reaches = new ReachWatch(options.active);
  }

  changed(subscription: ActiveSubscription, change: StallChange): void {
    const { systemEvents, stallWatch } = this.#options;
    const { lag, lastProgressAt } = stallWatch.progressOf(subscription);
    systemEvents.tell(`subscription/${change}`, subscription.id, {
      ...naming(subscription),
      lag,
      ...(lastProgressAt === undefined ? {} : { lastProgressAt }),
      ...(change === 'stalled' ? { stallAfterMs: stallWatch.stallAfterMs } : {}),
    });
  }

  /** Pauses are counted and not told: they are the daily bread of a receiver that limits its rate. */
  receiverChanged(subscription: ActiveSubscription, change: ReceiverChange): void {
    if (change.what === 'paused') return;
    const facts = receiverFacts(subscription, change);
    const isDisabled = change.what === 'stopped' && change.reason.code === 'failing';
    const kind = isDisabled ? 'disabled' : change.what;
    this.#options.systemEvents.tell(`subscription/${kind}`, subscription.id, { ...naming(subscription), ...facts });
  }

  /** A realtime way was lost, or is back. */
  switched({ id, name, subscriber }: SubscriptionDefinition, way: RealtimeState['way']): void {
    const kind = way === 'fallback' ? 'subscription/fallback-began' : 'subscription/fallback-ended';
    this.#options.systemEvents.tell(kind, id, {
      subscriptionId: id,
      ...(name === undefined ? {} : { name }),
      ...(subscriber === undefined ? {} : { subscriber }),
    });
  }

  /** Dead letters are told of once they are durable. */
  committed(changes: readonly StateChange[]): void {
    for (const { kind, value } of changes) {
      if (kind !== 'dead-letter' || value === undefined) continue;
      const letter = value as unknown as DeadLetter;
      if (letter.state !== 'open' || isAboutTheBus(letter)) continue;
      const { id, subscriptionId, eventId, attempts, reason } = letter;
      this.#options.systemEvents.tell('dead-letter/created', subscriptionId, {
        ...{ subscriptionId, deadLetterId: id, eventId, attempts, reason },
      });
    }
  }

  /** Retention removed events that the subscription was owed still. */
  debtRemoved({ id, name }: SubscriptionDefinition, { fates, from, through, total }: RemovedDebts): void {
    const facts = { subscriptionId: id, ...(name === undefined ? {} : { name }) };
    const removed = { removed: fates.removed, from, through, total };
    this.#options.systemEvents.tell('subscription/debt-removed', id, { ...facts, ...removed });
  }

  /** An event was accepted for later and cannot be appended now, for a reason that does not pass. */
  scheduledRefused({ id, topic, type, scheduledFor }: ScheduledEvent, { code, message }: EventManagerError): void {
    this.#options.systemEvents.tell('scheduled/refused', id, {
      ...{ eventId: id, topic, type, scheduledFor, code, reason: message },
    });
  }

  /** Somebody had a subscription go on from another place. */
  subscriptionReset({ id, ...facts }: SubscriptionReset): void {
    this.#options.systemEvents.tell('subscription/reset', id, { subscriptionId: id, ...facts });
  }

  /** A replay, redrive or discard began, stood still, went on or is over. */
  run(what: RunTold, { id, kind, state, counts, words, note }: Run): void {
    const { by } = words.at(-1)!;
    const facts = { runId: id, kind, state, by, ...(note === undefined ? {} : { note }), counts: { ...counts } };
    this.#options.systemEvents.tell(`run/${what}`, id, facts);
  }

  /** Its later events wait until somebody releases it. */
  keyParked(subscription: ActiveSubscription, key: string, { deadLetterId }: Parked): void {
    this.#options.systemEvents.tell('subscription/key-parked', subscription.id, {
      ...naming(subscription),
      key,
      ...(deadLetterId === undefined ? {} : { deadLetterId }),
    });
  }

  damaged({ from, through }: LostRange): void {
    this.#options.systemEvents.tell('store/damaged', `${from}-${through}`, { from, through });
  }

  /**
   * Tells of the store when its state has changed. One that failed takes no event any more, and one that is away takes none
   * about it either: that is told when it is over. Being slow is no news.
   */
  storeLooked(): void {
    const { adapter, owner, systemEvents } = this.#options;
    this.#impairmentLooked();
    const change = this.store.look();
    if (change === undefined || change.to === 'failed') return;
    const { from, to, reason, lastedMs } = change;
    const facts = { adapter: adapter.name, ...(reason === undefined ? {} : { reason }) };
    if (to === 'full' || to === 'read-only') systemEvents.tell(`store/${to}`, adapter.name, facts);
    else if (from !== 'ok' && from !== 'slow' && to !== 'unavailable') {
      systemEvents.tell('store/recovered', adapter.name, { ...facts, from, lastedMs, instance: owner });
    }
  }

  /** What the store can do without went or came back. */
  #impairmentLooked(): void {
    const { adapter, owner, systemEvents } = this.#options;
    const { impairment } = adapter.health();
    const before = this.#impairment;
    this.#impairment = impairment;
    if (impairment?.what === before?.what) return;
    const kind = impairment === undefined ? 'store/unimpaired' : 'store/impaired';
    const { what, reason, since } = (impairment ?? before)!;
    systemEvents.tell(kind, what, { adapter: adapter.name, what, reason, since, instance: owner });
  }

  /** Called every now and then: tells of the store when its state has changed, of lanes that were full, of receivers that cannot be reached, and what had to wait. */
  looked(): void {
    const { systemEvents, stallWatch } = this.#options;
    this.storeLooked();
    this.#overflows.look((subscription, change) => {
      const facts = { ...naming(subscription), lag: stallWatch.progressOf(subscription).lag };
      systemEvents.tell(`subscription/${change}`, subscription.id, facts);
    });
    this.#reaches.look((subscription, change) => {
      const { lag } = stallWatch.progressOf(subscription);
      const error = change.what === 'unreachable' ? change.error : undefined;
      const told = error ? { code: error.code, reason: error.message } : {};
      systemEvents.tell(`subscription/${change.what}`, subscription.id, { ...naming(subscription), lag, ...told });
    });
    systemEvents.flush();
  }
}

function naming({ id, definition }: ActiveSubscription): { subscriptionId: string; name?: string } {
  return { subscriptionId: id, ...(definition.name === undefined ? {} : { name: definition.name }) };
}

/**
 * Told of the delivery of events about the bus, it would never end. The text is our own encoding, where only texts stand before
 * the topic, so that the first one that looks like it is it; decoding the whole letter would cost more than the delivery.
 */
function isAboutTheBus({ event }: DeadLetter): boolean {
  return event.startsWith('$sys', event.indexOf(TOPIC_FIELD) + TOPIC_FIELD.length);
}

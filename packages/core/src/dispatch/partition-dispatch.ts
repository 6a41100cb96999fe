import type { Contexts } from '../context/contexts.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { LostRange, Partition, Position } from '../contracts/event-store.ts';
import type { StateChange } from '../contracts/state-store.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { PatternIndex } from '../topic/pattern-index.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import { Bodies } from './bodies.ts';
import { Checkpoint } from './checkpoint.ts';
import { DeliveryLog } from './delivery-log.ts';
import { Dispatcher } from './dispatcher.ts';
import type { ReceiverChange } from './failure/receiver.ts';
import { ReadBack } from './offer.ts';
import type { Parked } from './order/key-record.ts';
import { type ReplayRange, ReplayService, type ReplayServiceOptions } from './replay-service.ts';
import { Route } from './route.ts';
import { type BesideService, Serving } from './serve.ts';

export interface PartitionDispatchOptions {
  readonly partition: Partition;
  /** Names this process. */
  readonly instance: string;
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly meter: Meter;
  readonly contexts: Contexts;
  /** The end of the log when dispatching begins. */
  readonly head: Position;
  /** True while streams read along. */
  readonly hasReaders: () => boolean;
  readonly onAdvance: () => void;
  readonly onCommitted: (changes: readonly StateChange[]) => void;
  readonly onLost: (lost: LostRange) => void;
  readonly onKeyParked: (subscription: ActiveSubscription, key: string, parked: Parked) => void;
  readonly onLeaseLost: (subscription: ActiveSubscription) => void;
  /** Another process removed a subscription that is served here. */
  readonly onReplaced: (subscription: ActiveSubscription) => void;
  readonly onReceiver: (subscription: ActiveSubscription, change: ReceiverChange) => void;
  readonly onFailure: (error: unknown) => void;
  readonly beside: BesideService;
}

/** Everything that delivers the events of one partition, wired together: route, offer, claim, deliver, settle, commit. */
export class PartitionDispatch {
  readonly partition: Partition;
  readonly log: DeliveryLog;
  /** The subscriptions that are served here. */
  readonly active = new Map<string, ActiveSubscription>();
  readonly bodies: Bodies;
  readonly route: Route;
  readonly checkpoint: Checkpoint;
  readonly dispatcher: Dispatcher;
  readonly serving: Serving;
  readonly #readBack: ReadBack;
  readonly #replays: ReplayServiceOptions;
  #isHalted = false;

  constructor(options: PartitionDispatchOptions) {
    const { partition, adapter, runtime, limits, meter, head } = options;
    const { onLost, onFailure, onReceiver, onAdvance, hasReaders } = options;
    const { store, state } = adapter;
    const { timers } = runtime;
    const subscriptions = this.active;
    const index = new PatternIndex<ActiveSubscription>();
    const wake = (subscription: ActiveSubscription) => this.dispatcher.wake(subscription);
    const routedHead = () => this.route.head;
    this.log = new DeliveryLog({ clock: runtime.clock, instance: options.instance });
    const bodies = new Bodies(store, partition, limits, options.hasReaders);
    const wallMs = () => runtime.clock.wallMs();
    const read = { partition, store, bodies, log: this.log, wallMs, wake, onLost, onFailure, timers };
    const readBack = new ReadBack({ ...read, index, subscriptions, routedHead });
    const checkpoint = new Checkpoint({
      state,
      runtime,
      routedHead,
      onCommitted: (committed, changes) => {
        for (const subscription of committed) wake(subscription);
        options.onCommitted(changes);
      },
      onLeaseLost: options.onLeaseLost,
      onReplaced: options.onReplaced,
      onFailure,
    });
    this.partition = partition;
    this.bodies = bodies;
    this.checkpoint = checkpoint;
    this.#readBack = readBack;
    this.route = new Route({
      ...{ partition, store, bodies, index, head, wake },
      ...{ hasReaders, onAdvance, onLost, onFailure, timers },
    });
    const onDrained = ({ replay }: ActiveSubscription) => (replay ? replay.drained() : readBack.start());
    const dispatcher = new Dispatcher({
      ...{ runtime, bodies, checkpoint, meter, log: this.log, onDrained, onReceiver, onFailure },
    });
    this.dispatcher = dispatcher;
    const { contexts, onKeyParked, beside } = options;
    const serve = {
      ...{ partition, state, runtime, limits, contexts, bodies, dispatcher, checkpoint },
      ...{ onReceiver, onLost, onKeyParked },
    };
    this.serving = new Serving({ ...serve, meter, index, subscriptions, readBack, routedHead, beside });
    this.#replays = { serve, read, routedHead };
  }

  /** Serves one replay of a range of the log. */
  replayOf(range: ReplayRange): ReplayService {
    return new ReplayService(this.#replays, range);
  }

  /** Everything routed so far is settled and durable for everybody who is active; asks for a commit where one is missing. */
  isSettled(): boolean {
    let settled = true;
    for (const subscription of this.active.values()) {
      const { state, sink } = subscription.definition;
      // Who does not ask for its deliveries would be waited for forever.
      if (state !== 'active' || sink.kind === 'pull') continue;
      if (!subscription.queue.isSettled()) return false;
      if (subscription.queue.isCommitted) continue;
      if (subscription.queue.dirty) this.checkpoint.commitNow(subscription);
      settled = false;
    }
    return settled;
  }

  /** True after a failure: what is settled now would not become durable. */
  get isHalted(): boolean {
    return this.#isHalted;
  }

  /** Nothing is claimed or committed any more; attempts under way are left to end, and nobody waits for other ones. */
  halt(): void {
    this.#isHalted = true;
    this.checkpoint.halt();
    this.dispatcher.stop();
    for (const subscription of this.active.values()) {
      subscription.isServing = false;
      this.serving.releasePublishers(subscription);
    }
  }

  /** The same, and resolves when no read is under way. */
  async stop(): Promise<void> {
    this.dispatcher.stop();
    await this.#readBack.stop();
    await this.route.stop();
    this.checkpoint.halt();
  }
}

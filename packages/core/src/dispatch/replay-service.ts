import type { LostRange, Position, Recorded } from '../contracts/event-store.ts';
import { PatternIndex } from '../topic/pattern-index.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import { noCounts } from './delivery-counts.ts';
import { ReadBack } from './offer.ts';
import type { ReadBackOptions } from './read-back-options.ts';
import { type BringUp, type ServeOptions, Serving } from './serve.ts';

export interface ReplayServiceOptions {
  readonly serve: Omit<ServeOptions, 'index' | 'subscriptions' | 'readBack' | 'routedHead' | 'meter' | 'beside'>;
  readonly read: Omit<ReadBackOptions, 'index' | 'subscriptions' | 'routedHead' | 'takes'>;
  readonly routedHead: () => Position;
}

export interface ReplayRange {
  readonly until: Position;
  /** Which events are meant at all. */
  readonly takes: (record: Recorded) => boolean;
  /** Part of the range is not there any more. */
  readonly onLost: (lost: LostRange) => void;
}

/**
 * Serves one replay beside the subscription it belongs to: through the same dispatcher, checkpoint and bodies, but from a scan
 * of the log of its own that ends at `until`. What comes after that is never offered to it, since it is in no index that new
 * events are held against.
 */
export class ReplayService {
  readonly #serving: Serving;
  readonly #readBack: ReadBack;

  constructor({ serve, read, routedHead }: ReplayServiceOptions, { until, takes, onLost }: ReplayRange) {
    const index = new PatternIndex<ActiveSubscription>();
    const subscriptions = new Map<string, ActiveSubscription>();
    const end = () => Math.min(until, routedHead());
    const tell = (lost: LostRange) => {
      onLost(lost);
      read.onLost(lost);
    };
    this.#readBack = new ReadBack({ ...read, index, subscriptions, routedHead: end, takes, onLost: tell });
    this.#serving = new Serving({
      ...serve,
      ...{ index, subscriptions, readBack: this.#readBack, routedHead: end, meter: { deliveries: noCounts() } },
      beside: { served: () => {}, leaving: async () => {}, dropped: () => {} },
    });
  }

  async bringUp(request: BringUp): Promise<ActiveSubscription> {
    const subscription = await this.#serving.bringUp(request);
    request.replay?.shares?.replays.add(subscription);
    return subscription;
  }

  /** Reads on where there is room. */
  drained(): void {
    this.#readBack.start();
  }

  /** Lets what is under way end for at most `drainMs`, and makes its progress durable. */
  async takeDown(subscription: ActiveSubscription, drainMs: number, caller?: unknown): Promise<void> {
    await this.#serving.takeDown(subscription, drainMs, caller);
    await this.leave(subscription);
  }

  /** What it could not commit when it was taken down is still in its queue: nothing is attempted again. */
  takeUpAgain(subscription: ActiveSubscription): void {
    this.#serving.takeUpAgain(subscription);
  }

  /** Nothing may be committed any more. */
  drop(subscription: ActiveSubscription): void {
    this.#serving.drop(subscription);
    void this.leave(subscription);
  }

  /** Ends what was taken down without its last commit, and is not taken up again. */
  async leave(subscription: ActiveSubscription): Promise<void> {
    subscription.replay?.shares?.replays.delete(subscription);
    await this.#readBack.stop();
  }
}

/**
 * Notices subscriptions that could go on and do not.
 *
 *     moving ──found obstructed──▶ suspected ──for `stallAfterMs`, without progress──▶ stalled
 *        ▲                             │                                                │
 *        └──────── progress, or a good reason to wait ◀─────────────────────────────────┘
 *
 * It looks a few times per `stallAfterMs` and keeps only the suspected ones, so a subscription that moves costs nothing. A
 * stall is noticed between one and one and a quarter times `stallAfterMs`; its end at once by whoever asks, and by the next
 * look for whoever is told.
 */
import type { Position } from '../contracts/event-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { isObstructed, lagOf, type ProgressState, stateOf } from './progress.ts';

const LOOKS_PER_STALL = 4;
const WORST_MAX = 5;

/** One subscription as health tells of it. */
export interface SubscriptionProgress {
  readonly id: string;
  readonly name?: string;
  readonly state: ProgressState;
  readonly lag: number;
  /** When an attempt ended or an event was passed over, RFC 3339; absent when neither happened since it is served here. */
  readonly lastProgressAt?: string;
}

/** All subscriptions that are served here. */
export interface ProgressHealth {
  /** Could go on and do not: the fault is here, and the service is not ready. */
  readonly stalled: number;
  /** Have so many retries waiting that nothing new is attempted: the fault is the receiver's. */
  readonly saturated: number;
  /** Deliveries that may still have to be made, of all and of the one furthest behind. */
  readonly lag: number;
  readonly lagMax: number;
  /** Those furthest behind, stalled ones first. */
  readonly worst: readonly SubscriptionProgress[];
}

export type StallChange = 'stalled' | 'saturated' | 'recovered';

export interface StallWatchOptions {
  readonly active: ReadonlyMap<string, ActiveSubscription>;
  readonly runtime: Runtime;
  readonly head: () => Position;
  readonly stallAfterMs: number;
  /** `saturated` is told at once: it was a long way there. */
  readonly onChanged: (subscription: ActiveSubscription, change: StallChange) => void;
  /** After every look. */
  readonly onLooked: () => void;
}

interface Suspect {
  sinceMs: number;
  told: 'stalled' | 'saturated' | undefined;
}

export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #suspects = new Map<ActiveSubscription, Suspect>();
  #stallAfterMs: number;
  #cancel: Cancel | undefined;
  #stopped = false;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#stallAfterMs = options.stallAfterMs;
  }

  get stallAfterMs(): number {
    return this.#stallAfterMs;
  }

  /** Suspects stay suspected since when they are; from now on the new time decides. */
  follow(stallAfterMs: number): void {
    this.#stallAfterMs = stallAfterMs;
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.start();
  }

  start(): void {
    const { runtime } = this.#options;
    if (this.#stopped) return;
    this.#cancel = runtime.timers.after(this.#stallAfterMs / LOOKS_PER_STALL, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  look(): void {
    const { active, runtime, onChanged, onLooked } = this.#options;
    const nowMs = runtime.clock.monotonicMs();
    for (const subscription of active.values()) this.#lookAt(subscription, nowMs);
    for (const [subscription, { told }] of this.#suspects) {
      if (active.get(subscription.id) === subscription) continue;
      this.#suspects.delete(subscription);
      if (told) onChanged(subscription, 'recovered');
    }
    onLooked();
  }

  progressOf(subscription: ActiveSubscription): SubscriptionProgress {
    const { runtime, head } = this.#options;
    const nowMs = runtime.clock.monotonicMs();
    const { id, definition, progressAtMs } = subscription;
    const isStalled = this.#isStalled(subscription, nowMs);
    const agoMs = nowMs - progressAtMs;
    return {
      id,
      ...(definition.name === undefined ? {} : { name: definition.name }),
      state: isStalled ? 'stalled' : stateOf(subscription, nowMs, head()),
      lag: lagOf(subscription, head()),
      ...(progressAtMs === 0 ? {} : { lastProgressAt: new Date(runtime.clock.wallMs() - agoMs).toISOString() }),
    };
  }

  report(): ProgressHealth {
    const all = [...this.#options.active.values()].map((subscription) => this.progressOf(subscription));
    const behind = all.filter(({ lag, state }) => lag > 0 || state === 'stalled').sort(worseFirst);
    return {
      stalled: all.filter(({ state }) => state === 'stalled').length,
      saturated: all.filter(({ state }) => state === 'saturated').length,
      lag: behind.reduce((sum, { lag }) => sum + lag, 0),
      lagMax: behind.reduce((most, { lag }) => Math.max(most, lag), 0),
      worst: behind.slice(0, WORST_MAX),
    };
  }

  #lookAt(subscription: ActiveSubscription, nowMs: number): void {
    const { head, onChanged } = this.#options;
    const isSaturated = subscription.definition.state === 'active' && subscription.queue.isSaturated;
    const suspect = this.#suspects.get(subscription);
    if (!isSaturated && !isObstructed(subscription, nowMs, head())) {
      this.#suspects.delete(subscription);
      if (suspect?.told) onChanged(subscription, 'recovered');
      return;
    }
    const known: Suspect = suspect ?? { sinceMs: nowMs, told: undefined };
    this.#suspects.set(subscription, known);
    // It moved and is obstructed again: the wait begins anew.
    if (subscription.progressAtMs > known.sinceMs) known.sinceMs = subscription.progressAtMs;
    const change = this.#isStalled(subscription, nowMs) ? 'stalled' : isSaturated ? 'saturated' : undefined;
    if (change === known.told) return;
    known.told = change;
    onChanged(subscription, change ?? 'recovered');
  }

  #isStalled(subscription: ActiveSubscription, nowMs: number): boolean {
    const suspect = this.#suspects.get(subscription);
    if (!suspect || subscription.progressAtMs > suspect.sinceMs) return false;
    return nowMs - suspect.sinceMs >= this.#stallAfterMs && isObstructed(subscription, nowMs, this.#options.head());
  }
}

function worseFirst(a: SubscriptionProgress, b: SubscriptionProgress): number {
  const stalled = Number(b.state === 'stalled') - Number(a.state === 'stalled');
  return stalled === 0 ? b.lag - a.lag : stalled;
}

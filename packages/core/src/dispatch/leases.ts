/**
 * Who serves a subscription when several processes share a store. A lease is asked for, renewed at a third of its time,
 * and given back when the subscription is taken down.
 *
 *     wanted ──acquire──▶ held ──renew refused, or time over──▶ lost ──▶ wanted
 *
 * Our own clock ends a lease early rather than late: its time counts from before the store was asked. A holder that slept
 * through the end is stopped by the store, which refuses commits under a lease that has passed on.
 */
import type { Lease, StateStore } from '../contracts/state-store.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { OneAtATime } from './one-at-a-time.ts';

const TTL_MS = 6_000;
const RENEW_EVERY_MS = TTL_MS / 3;

export interface LeaseKeeperOptions {
  readonly state: StateStore;
  readonly runtime: Runtime;
  /** Distinguishes this process among those that share the store. */
  readonly owner: string;
  /** Looks for what changed elsewhere; returns the ids of the subscriptions that this process could serve. */
  readonly wanted: () => Promise<readonly string[]>;
  /** True when the subscription is served from now on; else the lease is given back. */
  readonly onAcquired: (subscriptionId: string, held: HeldLease) => Promise<boolean>;
  readonly onLost: (subscriptionId: string) => Promise<void>;
  /** A lease that had run out by our clock while its renewal was under way is held again: nothing was claimed meanwhile. */
  readonly onRevived: (subscriptionId: string) => void;
  /** For errors that are not the store's. */
  readonly onFailure: (error: unknown) => void;
}

export interface HeldLease {
  readonly lease: Lease;
  /** By `leaseClockMs`, milliseconds; moves on with every renewal. */
  expiresAtMs: number;
}

/** The monotonic clock: a wall clock that is set back would let a lease last for ever. */
export function leaseClockMs({ clock, planted }: Pick<Runtime, 'clock' | 'planted'>): number {
  return planted.has('lease-by-wall-clock') ? clock.wallMs() : clock.monotonicMs();
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, HeldLease>();
  readonly #looking: OneAtATime;
  #cancel: Cancel | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#looking = new OneAtATime(() => this.#look(), options.onFailure);
  }

  /** Asks and renews now; also to be called when a hint says that something changed. */
  poke(): void {
    this.#looking.poke();
  }

  /** Resolves when what is being asked for was answered, if there is something. */
  asked(): Promise<void> {
    return this.#looking.ended();
  }

  holds(subscriptionId: string, held: HeldLease): boolean {
    return this.#held.get(subscriptionId) === held;
  }

  async release(subscriptionId: string): Promise<void> {
    const held = this.#held.get(subscriptionId);
    if (!held) return;
    this.#held.delete(subscriptionId);
    try {
      await this.#options.state.release([held.lease]);
    } catch (error) {
      // Nobody renews it any more, so it ends by itself.
      if (!isEventManagerError(error)) throw error;
    }
  }

  forget(subscriptionId: string): void {
    this.#held.delete(subscriptionId);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#looking.stop();
    this.#cancel?.();
  }

  async #look(): Promise<void> {
    this.#cancel?.();
    try {
      await this.#renew();
      await this.#acquire();
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      // The store is away or full: leases that ran out meanwhile end by our own clock.
      await this.#dropExpired();
    }
    this.#cancel = this.#options.runtime.timers.after(RENEW_EVERY_MS, () => this.poke());
  }

  async #renew(): Promise<void> {
    await this.#dropExpired();
    if (this.#held.size === 0) return;
    const askedAtMs = leaseClockMs(this.#options.runtime);
    const held = [...this.#held];
    const lost = await this.#options.state.renew(
      held.map(([, entry]) => entry.lease),
      { ttlMs: TTL_MS },
    );
    const lostResources = new Set(lost.map((lease) => lease.resource));
    for (const [id, entry] of held) {
      if (lostResources.has(entry.lease.resource)) await this.#lose(id);
      else this.#extend(id, entry, askedAtMs + TTL_MS);
    }
  }

  #extend(id: string, entry: HeldLease, expiresAtMs: number): void {
    const hadRunOut = entry.expiresAtMs <= leaseClockMs(this.#options.runtime);
    entry.expiresAtMs = expiresAtMs;
    if (hadRunOut) this.#options.onRevived(id);
  }

  async #acquire(): Promise<void> {
    for (const id of await this.#options.wanted()) {
      if (this.#held.has(id) || this.#looking.isStopped) continue;
      const askedAtMs = leaseClockMs(this.#options.runtime);
      const lease = await this.#options.state.acquire(`subscription/${id}`, {
        owner: this.#options.owner,
        ttlMs: TTL_MS,
      });
      if (!lease) continue;
      const held: HeldLease = { lease, expiresAtMs: askedAtMs + TTL_MS };
      this.#held.set(id, held);
      let isServed = false;
      try {
        isServed = await this.#options.onAcquired(id, held);
      } catch (error) {
        if (!isEventManagerError(error)) throw error;
      } finally {
        // Held but not served would be served by nobody: whoever asks first shall have it.
        if (!isServed) await this.release(id);
      }
    }
  }

  async #dropExpired(): Promise<void> {
    const nowMs = leaseClockMs(this.#options.runtime);
    for (const [id, held] of this.#held) if (held.expiresAtMs <= nowMs) await this.#lose(id);
  }

  async #lose(id: string): Promise<void> {
    this.#held.delete(id);
    await this.#options.onLost(id);
  }
}

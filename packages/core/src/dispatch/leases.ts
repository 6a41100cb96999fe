/**
 * Who serves a subscription when several processes share a store. A lease is asked for, renewed at a third of its time,
 * and given back when the subscription is taken down.
 *
 *     wanted ──free, and acquired──▶ held ──renew refused, or time over──▶ lost ──▶ wanted
 *
 * Once a second, and when a hint says that something changed, each process looks for those that nobody holds. It takes what
 * only it can serve, and of what anybody may serve as much as is its share. What is above that, or better served elsewhere, it
 * leaves to others; at the next look, half a second later, it takes those that fall to it, and at the one after that what is
 * free still. So nothing stays unserved because processes disagree about their shares, and what a dead one held is not taken
 * by whoever looks first.
 *
 * A lease that was given is held, and renewed, while its records are read; thousands that fall to this process at once are
 * brought up a number at a time.
 *
 * Our own clock ends a lease early rather than late: its time counts from before the store was asked. A holder that slept
 * through the end is stopped by the store, which refuses commits under a lease that has passed on.
 */
import type { Lease, StateStore } from '../contracts/state-store.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Begin } from './begin.ts';
import { OneAtATime } from './one-at-a-time.ts';

const TTL_MS = 6_000;
const LOOK_EVERY_MS = 1_000;
/** While something is free that was left to others. */
const LOOK_AGAIN_MS = 500;
/** A third of the time is over, to half a look. */
const RENEW_BELOW_MS = (TTL_MS * 2) / 3 + LOOK_EVERY_MS / 2;
/** Of looks that hints ask for: under load somebody else changes something all the time. */
const HINTED_EVERY_MS = 200;
const ACQUIRE_MAX = 512;

/** A subscription that this process could serve. */
export interface Wanted {
  readonly id: string;
  /** `here`: nobody else can, or better. `anywhere`: whoever has room. `elsewhere`: another process would do better. */
  readonly best: 'here' | 'anywhere' | 'elsewhere';
}

export interface LeaseKeeperOptions {
  readonly state: StateStore;
  readonly runtime: Runtime;
  /** Names this process among those that share the store. */
  readonly owner: string;
  /** Looks for what changed elsewhere; returns the subscriptions that this process could serve. */
  readonly wanted: () => Promise<readonly Wanted[]>;
  /** How many more of those that anybody may serve are for this process. */
  readonly room: () => number;
  /** Of those that were left to others and are free still: it falls to this process first. */
  readonly isNext: (subscriptionId: string) => boolean;
  /** Called with those that were acquired together, before each is served. */
  readonly onPrepare: (subscriptionIds: readonly string[]) => Promise<void>;
  /** True when the subscription is served from now on; else the lease is given back. */
  readonly onAcquired: (subscriptionId: string, held: HeldLease) => Promise<boolean>;
  readonly onLost: (subscriptionId: string) => Promise<void>;
  /** A lease that had run out by our clock while its renewal was under way is held again: nothing was claimed meanwhile. */
  readonly onRevived: (subscriptionId: string) => void;
  /** After each look. */
  readonly onLooked: () => void;
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
  /** Acquired, and lost without having been given back. */
  readonly counts = { acquired: 0, lost: 0 };
  readonly #options: LeaseKeeperOptions;
  readonly #held = new Map<string, HeldLease>();
  readonly #looking: OneAtATime;
  readonly #begin: Begin;
  /** Who held what is wanted at the last look. */
  #holders = new Map<string, string>();
  /** Free, and left to others: at how many looks. */
  #left = new Map<string, number>();
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #cancel: Cancel | undefined;
  #cancelHint: Cancel | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#looking = new OneAtATime(() => this.#look(), options.onFailure);
    this.#begin = new Begin({
      onPrepare: options.onPrepare,
      begin: (id, isPrepared) => this.#serve(id, isPrepared),
      onFailure: options.onFailure,
    });
  }

  /** Looks and renews now. */
  poke(): void {
    this.#looking.poke();
  }

  /** The same when somebody else may have changed something, and not more often than is good. */
  hint(): void {
    const { clock, timers } = this.#options.runtime;
    const waitMs = this.#lookedAtMs + HINTED_EVERY_MS - clock.monotonicMs();
    if (waitMs <= 0) this.poke();
    else {
      this.#cancelHint ??= timers.after(waitMs, () => {
        this.#cancelHint = undefined;
        this.poke();
      });
    }
  }

  /** Resolves when what is being asked for was answered, if there is something, and what was acquired is served. */
  async asked(): Promise<void> {
    await this.#looking.ended();
    await this.#begin.ended();
  }

  get heldCount(): number {
    return this.#held.size;
  }

  holds(subscriptionId: string, held: HeldLease): boolean {
    return this.#held.get(subscriptionId) === held;
  }

  isHeld(subscriptionId: string): boolean {
    return this.#held.has(subscriptionId);
  }

  /** Who else held it at the last look, of those that are wanted here. */
  holderOf(subscriptionId: string): string | undefined {
    return this.#held.has(subscriptionId) ? undefined : this.#holders.get(subscriptionId);
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
    this.#disarm();
    this.#begin.stop();
    await this.#looking.stop();
    await this.#begin.ended();
    this.#disarm();
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancelHint?.();
    this.#cancelHint = undefined;
  }

  async #look(): Promise<void> {
    this.#disarm();
    const { clock, timers } = this.#options.runtime;
    this.#lookedAtMs = clock.monotonicMs();
    try {
      await this.#renew();
      await this.#acquire();
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      // The store is away or full: leases that ran out meanwhile end by our own clock.
      await this.#dropExpired();
    }
    const isSoon = this.#left.size > 0;
    this.#cancel = timers.after(isSoon ? LOOK_AGAIN_MS : LOOK_EVERY_MS, () => this.poke());
    this.#options.onLooked();
  }

  async #renew(): Promise<void> {
    await this.#dropExpired();
    const { state, runtime } = this.#options;
    const askedAtMs = leaseClockMs(runtime);
    const held = [...this.#held];
    if (!held.some(([, { expiresAtMs }]) => expiresAtMs - askedAtMs <= RENEW_BELOW_MS)) return;
    const lost = await state.renew(
      held.map(([, entry]) => entry.lease),
      { ttlMs: TTL_MS },
    );
    const lostResources = new Set(lost.map((lease) => lease.resource));
    for (const [id, entry] of held) {
      // Given back, or lost and acquired anew, while the store was asked.
      if (this.#held.get(id) !== entry) continue;
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
    const { state, runtime, owner } = this.#options;
    const wanted = await this.#options.wanted();
    const ids = this.#choose(await this.#free(wanted));
    for (let at = 0; at < ids.length && !this.#looking.isStopped; at += ACQUIRE_MAX) {
      const askedAtMs = leaseClockMs(runtime);
      const resources = ids.slice(at, at + ACQUIRE_MAX).map(resourceOf);
      const leases = await state.acquire(resources, { owner, ttlMs: TTL_MS });
      const acquired: string[] = [];
      for (const lease of leases) {
        const id = idOf(lease);
        this.#held.set(id, { lease, expiresAtMs: askedAtMs + TTL_MS });
        acquired.push(id);
        this.counts.acquired++;
      }
      this.#begin.add(acquired);
    }
  }

  /** Those that nobody else holds. */
  async #free(wanted: readonly Wanted[]): Promise<Wanted[]> {
    const asked = wanted.filter(({ id }) => !this.#held.has(id));
    const holders = new Map<string, string>();
    if (asked.length > 0) {
      const found = await this.#options.state.holders(asked.map(({ id }) => resourceOf(id)));
      for (const [at, holder] of found.entries()) if (holder !== undefined) holders.set(asked[at]!.id, holder);
    }
    this.#holders = holders;
    const { owner } = this.#options;
    return asked.filter(({ id }) => (holders.get(id) ?? owner) === owner && !this.#held.has(id));
  }

  #choose(free: readonly Wanted[]): string[] {
    const { room: roomOf, isNext } = this.#options;
    const left = new Map<string, number>();
    const chosen: string[] = [];
    let room = roomOf();
    for (const { id, best } of free) {
      const looks = this.#left.get(id) ?? 0;
      const isMine = best === 'here' || (looks > 0 && isNext(id)) || looks > 1;
      if (isMine || (best === 'anywhere' && room > 0)) {
        chosen.push(id);
        if (best !== 'here') room--;
      } else left.set(id, looks + 1);
    }
    this.#left = left;
    return chosen;
  }

  /** Brings one into service that was acquired. */
  async #serve(id: string, isPrepared: boolean): Promise<void> {
    const held = this.#held.get(id);
    if (!held) return;
    let isServed = false;
    try {
      isServed = isPrepared && !this.#looking.isStopped && (await this.#options.onAcquired(id, held));
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
    } finally {
      // Held but not served would be served by nobody: whoever asks first shall have it.
      if (!isServed && this.#held.get(id) === held) await this.release(id);
    }
  }

  async #dropExpired(): Promise<void> {
    const nowMs = leaseClockMs(this.#options.runtime);
    for (const [id, held] of this.#held) if (held.expiresAtMs <= nowMs) await this.#lose(id);
  }

  async #lose(id: string): Promise<void> {
    this.#held.delete(id);
    this.counts.lost++;
    await this.#options.onLost(id);
  }
}

const RESOURCE_PREFIX = 'subscription/';

/** What stands for a subscription among the leases. */
export function resourceOf(subscriptionId: string): string {
  return `${RESOURCE_PREFIX}${subscriptionId}`;
}

function idOf({ resource }: Lease): string {
  return resource.slice(RESOURCE_PREFIX.length);
}

import type { Lease } from '../contracts/state-store.ts';
import type { Clock } from '../runtime/clock.ts';

interface Holding {
  readonly owner: string;
  readonly token: number;
  expiresAtMs: number;
}

/** Tokens of one epoch; far more than a process can hand out. */
const TOKENS_PER_EPOCH = 2 ** 32;

/**
 * Who may act for which resource, for an adapter that only this process has open: leases live in memory and a restart ends
 * them all. A lease is held while its token is the newest one of its resource and its time, on the monotonic clock, has not
 * come; tokens are never used twice, so a late holder can always be told from the present one. That holds over restarts too
 * where the adapter counts its openings durably and says the number as `epoch`.
 */
export class LocalLeases {
  readonly #clock: Clock;
  readonly #holdings = new Map<string, Holding>();
  #lastToken: number;

  constructor(clock: Clock, epoch = 0) {
    this.#clock = clock;
    this.#lastToken = epoch * TOKENS_PER_EPOCH;
  }

  /** An owner that asks again gets a new lease; its old one is lost. */
  acquire(resource: string, owner: string, ttlMs: number): Lease | undefined {
    const nowMs = this.#clock.monotonicMs();
    const present = this.#holdings.get(resource);
    if (present !== undefined && present.owner !== owner && present.expiresAtMs > nowMs) return undefined;
    const token = ++this.#lastToken;
    this.#holdings.set(resource, { owner, token, expiresAtMs: nowMs + ttlMs });
    return { resource, token };
  }

  /** Those of `resources` that nobody else holds, in their order. */
  acquireAll(resources: readonly string[], { owner, ttlMs }: { owner: string; ttlMs: number }): Lease[] {
    return resources.flatMap((resource) => this.acquire(resource, owner, ttlMs) ?? []);
  }

  holder(resource: string): string | undefined {
    const holding = this.#holdings.get(resource);
    return holding && holding.expiresAtMs > this.#clock.monotonicMs() ? holding.owner : undefined;
  }

  isHeld(lease: Lease): boolean {
    return this.#held(lease) !== undefined;
  }

  /** False when the lease is not held any more; a lease that ran out cannot be revived. */
  renew(lease: Lease, ttlMs: number): boolean {
    const holding = this.#held(lease);
    if (holding === undefined) return false;
    holding.expiresAtMs = this.#clock.monotonicMs() + ttlMs;
    return true;
  }

  release(lease: Lease): void {
    if (this.#held(lease) !== undefined) this.#holdings.delete(lease.resource);
  }

  #held(lease: Lease): Holding | undefined {
    const holding = this.#holdings.get(lease.resource);
    if (holding?.token !== lease.token) return undefined;
    return holding.expiresAtMs > this.#clock.monotonicMs() ? holding : undefined;
  }
}

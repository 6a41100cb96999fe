import type { Clock, Lease } from '@event-manager/core';

interface Holding {
  readonly owner: string;
  readonly token: number;
  expiresAtMs: number;
}

/** Tokens of one opening of the directory; far more than a process can hand out. */
const TOKENS_PER_EPOCH = 2 ** 32;

/**
 * Who may act for which resource. The journal has one process, so leases live in memory and run on the monotonic clock: a
 * restart ends them all. Tokens still grow over restarts, because their upper part is the epoch that the witness made
 * durable before the directory was opened for writing.
 */
export class Leases {
  readonly #clock: Clock;
  readonly #holdings = new Map<string, Holding>();
  #lastToken: number;

  constructor(clock: Clock, epoch: number) {
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

  isHeld(lease: Lease): boolean {
    return this.#held(lease) !== undefined;
  }

  /** False when the lease is not held any more; one that ran out cannot be revived. */
  renew(lease: Lease, ttlMs: number): boolean {
    const holding = this.#held(lease);
    if (holding === undefined) return false;
    holding.expiresAtMs = this.#clock.monotonicMs() + ttlMs;
    return true;
  }

  release(lease: Lease): void {
    if (this.#held(lease) !== undefined) this.#holdings.delete(lease.resource);
  }

  #held({ resource, token }: Lease): Holding | undefined {
    const holding = this.#holdings.get(resource);
    return holding?.token === token && holding.expiresAtMs > this.#clock.monotonicMs() ? holding : undefined;
  }
}

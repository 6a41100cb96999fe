import type { ClaimedDelivery } from './claim.ts';

/**
 * What may hold a subscription back although it has something to deliver: a receiver that asked for a pause, a limit of the
 * rate, a breaker. The dispatcher asks every gate before it claims and claims no more than the narrowest lets through, so
 * what waits at a gate costs no attempt and keeps its place in the queue.
 */
export interface Gate {
  /** How many deliveries may be claimed at `nowMs` (monotonic); 0 while it is closed, `Infinity` where it does not count. */
  room(nowMs: number): number;
  /** When to ask a closed gate again, on the monotonic clock; `Infinity` when whoever opens it wakes the subscription. */
  opensAtMs: number;
  /** So many were claimed, each of which will be attempted, or released before that. */
  claimed?(count: number, nowMs: number, batch: readonly ClaimedDelivery[]): void;
  /** So many are attempted now. A retry waits between its claim and this for its number to be durable. */
  begun?(count: number): void;
}

/** Closed until a time: the receiver asked for a pause. */
export class Pause implements Gate {
  opensAtMs = 0;

  room(nowMs: number): number {
    if (this.opensAtMs === 0) return Number.POSITIVE_INFINITY;
    if (this.opensAtMs > nowMs) return 0;
    this.opensAtMs = 0;
    return Number.POSITIVE_INFINITY;
  }

  end(): void {
    this.opensAtMs = 0;
  }

  /** A shorter pause does not end a longer one. */
  until(atMs: number): void {
    this.opensAtMs = Math.max(this.opensAtMs, atMs);
  }
}

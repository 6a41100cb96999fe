/**
 * Keeps a subscription from a receiver that fails and fails: while it is open nothing is attempted and so no retry is spent,
 * and what is owed waits where it stands.
 *
 *     closed ──so many failures in a row──▶ open ──its time is over, one delivery is claimed──▶ half-open
 *       ▲                                    ▲                                                   │  │
 *       │                                    ├── the delivery fails: open, twice as long ────────┤  │
 *       │                                    └── busy or released: open, its time is over ───────┘  │
 *       └───────────── the delivery is taken (or refused: somebody is there again) ─────────────────┘
 *
 * In a row are failures without anything taken between them, the first and the last of them at most `windowMs` apart. While it
 * is open or half-open only the one delivery that was let through is listened to: whoever was under way when it opened tells how
 * the receiver was before.
 *
 * After a restart it is closed. What it knew is seconds old and is learned again within `failures` attempts, while one that was
 * remembered would keep waiting for a receiver that somebody mended, perhaps by that very restart.
 */
import type { Chance } from '../../runtime/chance.ts';
import type { BreakerPolicy } from '../../subscription/options/failure-options.ts';
import type { ClaimedDelivery } from '../claim.ts';
import type { Gate } from '../gate.ts';

export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

const OPEN_MS_MAX = 5 * 60_000;
/** A thousand subscriptions that lost the same host must not all ask for it in the same millisecond. Never earlier, a tenth later at most. */
const SPREAD = 0.1;

export class Breaker implements Gate {
  state: BreakerState = 'closed';
  opensAtMs = 0;
  /** Without anything taken between them. */
  failuresInARow = 0;
  readonly #policy: BreakerPolicy;
  readonly #chance: Chance;
  /** When the latest failures came, as many as open it; a ring. */
  readonly #failedAtMs: number[] = [];
  /** How often it opened since it was closed last. */
  #openings = 0;
  #probe: ClaimedDelivery | undefined;

  constructor(policy: BreakerPolicy, chance: Chance) {
    this.#policy = policy;
    this.#chance = chance;
  }

  room(nowMs: number): number {
    if (this.state === 'closed') return Number.POSITIVE_INFINITY;
    return this.state === 'open' && nowMs >= this.opensAtMs ? 1 : 0;
  }

  claimed(_count: number, _nowMs: number, [probe]: readonly ClaimedDelivery[]): void {
    if (this.state !== 'closed' && probe) this.#halfOpen(probe);
  }

  /** True while the outcome of `delivery` decides. */
  isProbe(delivery: ClaimedDelivery): boolean {
    return this.#probe === delivery;
  }

  /** The receiver took a delivery, or refused it knowingly. True when that closes the breaker. */
  answered(delivery: ClaimedDelivery): boolean {
    if (this.state === 'closed') {
      this.failuresInARow = 0;
      return false;
    }
    if (!this.isProbe(delivery)) return false;
    this.close();
    return true;
  }

  /** True when that opens the breaker, which a probe that fails does not: it was open. */
  failed(delivery: ClaimedDelivery, nowMs: number): boolean {
    if (this.state !== 'closed') {
      if (this.isProbe(delivery)) {
        this.failuresInARow++;
        this.#open(nowMs);
      }
      return false;
    }
    const { failures, windowMs } = this.#policy;
    this.#failedAtMs[this.failuresInARow % failures] = nowMs;
    this.failuresInARow++;
    // What is written over next is the oldest of the last so many.
    const firstAtMs = this.#failedAtMs[this.failuresInARow % failures]!;
    if (this.failuresInARow < failures || nowMs - firstAtMs > windowMs) return false;
    this.#open(nowMs);
    return true;
  }

  /** The probe told nothing of the receiver: another one is let through. */
  released(delivery: ClaimedDelivery, nowMs: number): void {
    if (!this.isProbe(delivery)) return;
    this.#probe = undefined;
    this.state = 'open';
    this.opensAtMs = nowMs;
  }

  /** Also when somebody says that the receiver is well. Whoever calls it wakes the subscription. */
  close(): void {
    this.#probe = undefined;
    this.state = 'closed';
    this.opensAtMs = 0;
    this.failuresInARow = 0;
    this.#openings = 0;
  }

  #open(nowMs: number): void {
    const { openMs } = this.#policy;
    const waitMs = Math.min(openMs * 2 ** this.#openings, Math.max(openMs, OPEN_MS_MAX));
    if (waitMs < OPEN_MS_MAX) this.#openings++;
    this.#probe = undefined;
    this.state = 'open';
    this.opensAtMs = nowMs + Math.round(waitMs * (1 + SPREAD * this.#chance.fraction()));
  }

  #halfOpen(probe: ClaimedDelivery): void {
    if (this.state !== 'open') throw new TypeError('A breaker that is half-open lets nobody through.');
    this.state = 'half-open';
    this.#probe = probe;
    // The end of the probe wakes the subscription, not a time.
    this.opensAtMs = Number.POSITIVE_INFINITY;
  }
}

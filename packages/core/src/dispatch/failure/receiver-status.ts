import type { Clock } from '../../runtime/clock.ts';
import type { ActiveSubscription } from '../active-subscription.ts';
import { BREAKER_STATES, type BreakerState } from './breaker.ts';
import type { ReceiverChange } from './receiver.ts';

/** How the receiver of a subscription is, where it has an endpoint or a breaker. */
export interface ReceiverStatus {
  /** Absent where the breaker is off. */
  readonly breaker?: BreakerState;
  readonly failuresInARow: number;
  /** When the first failure came after which nothing was taken any more, RFC 3339. */
  readonly failingSince?: string;
  /** Nothing is attempted before, RFC 3339: the breaker is open, or the receiver asked for a pause. */
  readonly attemptsAgainAt?: string;
}

/** What became of receivers since the start, and how they are. */
export interface ReceiverMetrics {
  /** Breakers of the subscriptions that are served here, by state. */
  readonly breakers: Readonly<Record<BreakerState, number>>;
  readonly breakersOpened: number;
  readonly breakersClosed: number;
  /** Pauses that receivers asked for. */
  readonly pauses: number;
  /** Subscriptions that were stopped after nothing but failures. */
  readonly disabled: number;
  /** Subscriptions that were stopped because the receiver said that it is gone. */
  readonly gone: number;
}

export type ReceiverCounts = { -readonly [Name in keyof Omit<ReceiverMetrics, 'breakers'>]: number };

export function noReceiverCounts(): ReceiverCounts {
  return { breakersOpened: 0, breakersClosed: 0, pauses: 0, disabled: 0, gone: 0 };
}

export function countReceiver(counts: ReceiverCounts, change: ReceiverChange): void {
  if (change.what === 'breaker-opened') counts.breakersOpened++;
  if (change.what === 'breaker-closed') counts.breakersClosed++;
  if (change.what === 'paused') counts.pauses++;
  if (change.what === 'stopped') counts[change.reason.code === 'failing' ? 'disabled' : 'gone']++;
}

export function receiverMetrics(counts: ReceiverCounts, active: Iterable<ActiveSubscription>): ReceiverMetrics {
  const breakers = Object.fromEntries(BREAKER_STATES.map((state) => [state, 0])) as Record<BreakerState, number>;
  for (const { receiver } of active) if (receiver?.breaker) breakers[receiver.breaker.state]++;
  return { breakers, ...counts };
}

/** `undefined` where nobody wants to know. */
export function receiverStatus({ receiver, pause }: ActiveSubscription, clock: Clock): ReceiverStatus | undefined {
  if (!receiver) return undefined;
  const { breaker, failing } = receiver;
  const nowMs = clock.monotonicMs();
  const waitMs = Math.max(pause.opensAtMs, finite(breaker?.opensAtMs)) - nowMs;
  return {
    ...(breaker ? { breaker: breaker.state } : {}),
    failuresInARow: breaker?.failuresInARow ?? 0,
    ...(failing.isFailing ? { failingSince: new Date(failing.sinceWallMs).toISOString() } : {}),
    ...(waitMs > 0 ? { attemptsAgainAt: new Date(clock.wallMs() + waitMs).toISOString() } : {}),
  };
}

/** The end of a half-open breaker is no time. */
function finite(atMs = 0): number {
  return Number.isFinite(atMs) ? atMs : 0;
}

import type { ActiveSubscription } from '../dispatch/active-subscription.ts';

/** Subscriptions whose receiver is reached by a connection, and the fallbacks that serve in its place. */
export interface RealtimeMetrics {
  readonly connected: number;
  readonly disconnected: number;
  /** Of both, those that their fallback serves now. */
  readonly onFallback: number;
  /** How often since the start a fallback began to serve, and how often the realtime way came back. */
  readonly fallbacksBegan: number;
  readonly fallbacksEnded: number;
}

export function realtimeMetrics(
  switches: { readonly began: number; readonly ended: number },
  active: Iterable<ActiveSubscription>,
): RealtimeMetrics {
  let connected = 0;
  let disconnected = 0;
  let onFallback = 0;
  for (const { sink } of active) {
    const { realtime } = sink;
    if (!realtime) continue;
    if (realtime.connected) connected++;
    else disconnected++;
    if (realtime.way === 'fallback') onFallback++;
  }
  return { connected, disconnected, onFallback, fallbacksBegan: switches.began, fallbacksEnded: switches.ended };
}

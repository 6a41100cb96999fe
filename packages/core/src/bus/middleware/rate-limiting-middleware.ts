/**
 * Refuses what comes too fast, before it is acknowledged, and never waits: a publisher that is told can slow down, one that is
 * held up cannot tell why. (A subscription's own limit is the other way round: there events are owed, and wait.)
 *
 * Each key has an allowance of `limit` events that fills again evenly over `windowMs`. It is kept as one number, the moment at
 * which it will be full again, so a key that was quiet for a window is as good as new and can be forgotten. Of too many keys the
 * longest unused is forgotten: it is given more than it has, which is the mistake that loses nothing.
 */
import { EventManagerError } from '../../errors/event-manager-error.ts';
import { parsePriority } from '../../event/priority.ts';
import { refuseUnknownOptions } from '../../refuse-unknown-options.ts';
import type { Middleware, MiddlewareEvent } from './middleware.ts';

export interface RateLimitingOptions {
  /** Events that may come at once, and for every window that passes. */
  readonly limit: number;
  /** Default: 1,000 ms. */
  readonly windowMs?: number | undefined;
  /** What has an allowance of its own, for example the source. Default: all events share one. */
  readonly key?: ((event: MiddlewareEvent) => string) | undefined;
  /** CRITICAL events are counted and never refused. Default: false. */
  readonly criticalAlways?: boolean | undefined;
}

const WINDOW_MS = 1_000;
const KEYS_MAX = 10_000;
const CRITICAL = 0;
const OPTIONS = ['limit', 'windowMs', 'key', 'criticalAlways'] satisfies (keyof RateLimitingOptions)[];

/** Throws `rate_limited` with `retryAfterMs`. */
export function rateLimitingMiddleware(options: RateLimitingOptions): Middleware {
  refuseUnknownOptions(options, OPTIONS, 'rateLimitingMiddleware');
  const { limit, windowMs = WINDOW_MS, key = () => '', criticalAlways = false } = options;
  if (!(limit >= 1) || !(windowMs > 0 && Number.isFinite(windowMs)))
    throw new TypeError('limit is a number from 1 on, windowMs a number above 0.');
  const perEventMs = windowMs / limit;
  const fullAtMs = new Map<string, number>();
  let refused = 0;
  return function rateLimiting(event, next, { runtime }) {
    const nowMs = runtime.clock.monotonicMs();
    const name = key(event);
    const full = Math.max(fullAtMs.get(name) ?? nowMs, nowMs);
    const lackMs = full + perEventMs - nowMs - windowMs;
    // Sums of fractions of a millisecond are off by less than that.
    if (lackMs > perEventMs / 1_000 && !(criticalAlways && isCritical(event))) {
      refused++;
      const details = { retryAfterMs: Math.ceil(lackMs), limit, windowMs, refused };
      throw new EventManagerError('rate_limited', `At most ${limit} events in ${windowMs} ms may come.`, details);
    }
    fullAtMs.delete(name);
    // What passes an empty allowance leaves it empty: a burst of CRITICAL events is no debt of those behind it.
    fullAtMs.set(name, Math.min(full + perEventMs, nowMs + windowMs));
    if (fullAtMs.size > KEYS_MAX) fullAtMs.delete(fullAtMs.keys().next().value!);
    return next();
  };
}

function isCritical({ priority }: MiddlewareEvent): boolean {
  return priority !== undefined && parsePriority(priority) === CRITICAL;
}

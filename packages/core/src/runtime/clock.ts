/**
 * Time as the engine sees it. Nothing outside this folder reads `Date.now`, `performance.now` or sets a timer, so the
 * simulation can replace all of it; `scripts/tidy.ts` enforces that.
 */
export interface Clock {
  /** Wall clock in milliseconds since 1970-01-01T00:00Z. May jump; used for what people see and what survives a restart. */
  wallMs(): number;
  /** Monotonic clock in milliseconds from an arbitrary start. Never jumps back; used for every wait and every lease. */
  monotonicMs(): number;
}

/** Ends a timer. Calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void;

export interface Timers {
  /**
   * Calls `run` once, `delayMs` (≥ 0) on the monotonic clock from now. A pending timer does not keep the process alive,
   * unless somebody awaits it and says so by `keepsAlive`.
   */
  after(delayMs: number, run: () => void, keepsAlive?: boolean): Cancel;
  /** Calls `run` once after the microtasks and input of the current turn, before any timer of the future. */
  soon(run: () => void): void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** What waits longer, Node calls at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after(delayMs, run, keepsAlive = false) {
    if (delayMs > TIMER_MS_MAX) return afterLong(delayMs, run, keepsAlive);
    const timer = setTimeout(run, delayMs);
    if (!keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  },
  soon(run) {
    setImmediate(run);
  },
};

/** One timer after the other, until the rest is short enough for one. */
function afterLong(delayMs: number, run: () => void, keepsAlive: boolean): Cancel {
  const goOn = () => {
    cancel = systemTimers.after(delayMs - TIMER_MS_MAX, run, keepsAlive);
  };
  let cancel = systemTimers.after(TIMER_MS_MAX, goOn, keepsAlive);
  return () => cancel();
}

import { AssertionError } from 'node:assert';
import { type Clock, systemClock, systemTimers, type Timers } from '@event-manager/core';

export interface WaitForOptions {
  /** Give up after this long. 5 seconds when absent. */
  readonly timeoutMs?: number | undefined;
  /** Time between two looks. 5 ms when absent. */
  readonly everyMs?: number | undefined;
  /** Words for the error: what did not come true. */
  readonly what?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly timers?: Timers | undefined;
}

/**
 * Looks until something is there, and resolves with it: for what no event tells of, in a bus that runs in real time. Whoever holds a
 * `testEventBus` waits with that, and no time passes. Rejects with the error of the last look where that threw.
 */
export async function waitFor<Found>(
  look: () => Found | Promise<Found>,
  options: WaitForOptions = {},
): Promise<Exclude<Found, false | null | undefined>> {
  const { timeoutMs = 5_000, everyMs = 5, what = 'what it waits for', clock = systemClock } = options;
  const { timers = systemTimers } = options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const found = await look();
      if (found !== false && found !== null && found !== undefined) {
        return found as Exclude<Found, false | null | undefined>;
      }
    } catch (error) {
      failure = error;
    }
    if (clock.monotonicMs() >= deadlineMs) {
      throw failure ?? new AssertionError({ message: `Waited ${timeoutMs} ms for ${what}.` });
    }
    await new Promise<void>((resolve) => void timers.after(everyMs, resolve, true));
  }
}

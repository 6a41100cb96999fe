import type { Clock, Timers } from './clock.ts';
import type { Runtime } from './runtime.ts';

/*
 * The surroundings of a client that also runs in a browser: nothing here is Node's alone. What every JavaScript of today has
 * (timers, the two clocks, random bytes) is declared by hand, so that neither Node's nor a browser's types are needed.
 */

interface WebGlobals {
  setTimeout(run: () => void, delayMs: number): number | { unref?(): void };
  clearTimeout(timer: unknown): void;
  readonly crypto: { getRandomValues(into: Uint8Array): void };
  readonly performance: { now(): number };
  readonly setImmediate?: (run: () => void) => unknown;
}

const web = globalThis as unknown as WebGlobals;
/** `getRandomValues` refuses more at once. */
const RANDOM_BYTES_MAX = 65_536;
/** A timer of 2^31 ms or more fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const clock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => web.performance.now(),
};

const timers: Timers = {
  after(delayMs, run, keepsAlive = false) {
    const timer = web.setTimeout(run, Math.min(delayMs, TIMER_MS_MAX));
    // A browser's timer is a number; it keeps nothing alive.
    if (!keepsAlive && typeof timer === 'object') timer.unref?.();
    return () => web.clearTimeout(timer);
  },
  soon(run) {
    if (web.setImmediate) web.setImmediate(run);
    else web.setTimeout(run, 0);
  },
};

/** Time and chance for code that runs in Node and in browsers alike. */
export const webRuntime: Runtime = {
  clock,
  timers,
  chance: {
    fraction: () => Math.random(),
    fill(into) {
      for (let at = 0; at < into.length; at += RANDOM_BYTES_MAX) {
        web.crypto.getRandomValues(into.subarray(at, at + RANDOM_BYTES_MAX));
      }
    },
  },
  failpoint: () => {},
  planted: new Set(),
};

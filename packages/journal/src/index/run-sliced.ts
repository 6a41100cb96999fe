import type { Runtime } from '@event-manager/core';

/** Longest stretch of background work between two turns of the event loop. */
const SLICE_MS = 2;

/** Runs work that yields often, giving the event loop back after each slice. */
export async function runSliced(work: Iterator<void>, { clock, timers }: Runtime): Promise<void> {
  for (;;) {
    const endMs = clock.monotonicMs() + SLICE_MS;
    do {
      if (work.next().done === true) return;
    } while (clock.monotonicMs() < endMs);
    await new Promise<void>((resolve) => timers.soon(resolve));
  }
}

import { systemRuntime } from '@event-manager/core';

const LOOK_MS = 20;

/** Asks again until the answer is true; false when the time was over first. */
export async function untilReady(timeoutMs: number, isReady: () => boolean | Promise<boolean>): Promise<boolean> {
  const { clock, timers } = systemRuntime;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (!(await isReady())) {
    if (clock.monotonicMs() > deadlineMs) return false;
    await new Promise<void>((resolve) => void timers.after(LOOK_MS, resolve, true));
  }
  return true;
}

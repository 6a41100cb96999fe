import { systemRuntime } from '@event-manager/core';

const LOOK_MS = 5;
const TIMEOUT_MS = 10_000;

/** Resolves when the condition holds: over a network nothing is there in the same turn. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const { clock, timers } = systemRuntime;
  const deadlineMs = clock.monotonicMs() + TIMEOUT_MS;
  while (!(await isTrue())) {
    if (clock.monotonicMs() > deadlineMs) throw new TypeError(`Not within ${TIMEOUT_MS} ms: ${what}`);
    await new Promise<void>((resolve) => void timers.after(LOOK_MS, resolve, true));
  }
}

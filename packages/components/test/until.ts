import { setTimeout as wait } from 'node:timers/promises';

const LOOK_MS = 5;
const GIVE_UP_MS = 20_000;

/** Resolves when the condition holds: for what real files, sockets and processes do in their own time. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + GIVE_UP_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new RangeError(`Not within ${GIVE_UP_MS} ms: ${condition}`);
    await wait(LOOK_MS);
  }
}

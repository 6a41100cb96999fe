import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when `isSo` says so; rejects after `withinMs`. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > untilMs) throw new TypeError('It did not become so in time.');
    await sleep(5);
  }
}

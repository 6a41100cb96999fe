const ROUNDS = 5;
/** What takes less is quick by any measure, and needs no second look. */
const QUICK_MS = 10;

/**
 * The quickest of some runs, in time of this thread: what it takes, and not what the neighbours of this machine or a collection
 * of garbage take.
 */
export function quickestMs(run: () => void): number {
  let quickest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && quickest > QUICK_MS; round++) {
    const before = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(before);
    quickest = Math.min(quickest, (user + system) / 1_000);
  }
  return quickest;
}

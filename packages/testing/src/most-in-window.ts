/** What is so close together is the same moment: sums of fractions of milliseconds are rounded. */
const MOMENT_MS = 0.001;

/** The most of `times` that lie within any window of `windowMs`, which includes its first moment and not its last. */
export function mostInWindow(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [at, timeMs] of sorted.entries()) {
    while (sorted[first]! <= timeMs - windowMs + MOMENT_MS) first++;
    most = Math.max(most, at - first + 1);
  }
  return most;
}

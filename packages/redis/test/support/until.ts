const WAIT_MS_MAX = 30_000;

export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'What the test waits for',
): Promise<void> {
  const endMs = performance.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new RangeError(`${what} did not come.`);
    await pause(5);
  }
}

/** Real time, for tests that drive real servers: what they hold against is what happened meanwhile. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const LOOK_MS = 5;
const TIMEOUT_MS = 10_000;

/** Resolves when the condition holds: over a network nothing is there in the same turn. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new TypeError(`Not within ${TIMEOUT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

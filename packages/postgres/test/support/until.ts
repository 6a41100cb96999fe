const LOOK_MS = 5;

/** Resolves when the condition holds: what real servers do has no clock of ours. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new RangeError(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

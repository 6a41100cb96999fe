/**
 * A fold is a plain function of its arguments: the next event needs the state behind this one at once, and after a crash the same
 * events have to give the same state. Throws `TypeError`.
 */
export function assertPlainAnswer(answer: unknown): void {
  if (typeof (answer as { readonly then?: unknown } | null | undefined)?.then !== 'function') return;
  // Nobody waits for it: when it fails, that must not end the process.
  Promise.resolve(answer).catch(() => {});
  throw new TypeError('apply returned a promise: it has to be a plain function that returns the state, and not async.');
}

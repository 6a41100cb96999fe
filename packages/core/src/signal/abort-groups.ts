/**
 * What abort signals end. A signal looks through all its listeners for each one that comes or goes, so thousands that wait for the end
 * of one process would cost the square of their number: it has one of us, which goes with the last of them.
 */
export class AbortGroups {
  readonly #groups = new WeakMap<AbortSignal, { readonly ends: Set<() => void>; readonly onAbort: () => void }>();

  /** Calls `end` when the signal is aborted, unless it is taken away before. */
  add(signal: AbortSignal, end: () => void): void {
    const group = this.#groups.get(signal);
    if (group) {
      group.ends.add(end);
      return;
    }
    const ends = new Set([end]);
    const onAbort = () => {
      for (const each of [...ends]) each();
    };
    this.#groups.set(signal, { ends, onAbort });
    signal.addEventListener('abort', onAbort, { once: true });
  }

  remove(signal: AbortSignal, end: () => void): void {
    const group = this.#groups.get(signal);
    if (!group?.ends.delete(end) || group.ends.size > 0) return;
    this.#groups.delete(signal);
    signal.removeEventListener('abort', group.onAbort);
  }
}

import type { AckEntry, HistoryEntry, MaybeAckEntry, StaleEntry } from './history-entry.ts';

/**
 * The history with what became of each acknowledgement in the place where it was said, since it took effect some time between
 * that and its answer: `ack` where it was taken, nothing where it came too late, and `maybe-ack` where nobody ever said.
 */
export function settledAcknowledgements(history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  const said = new Set<string>();
  const answers = new Map<string, 'ack' | 'stale'>();
  for (const entry of history) {
    if (entry.kind === 'maybe-ack') said.add(nameOf(entry));
    else if (entry.kind === 'stale' || (entry.kind === 'ack' && entry.attempt !== undefined)) {
      if (!said.has(nameOf(entry))) throw new TypeError(`The history answers ${nameOf(entry)}, which nobody said.`);
      answers.set(nameOf(entry), entry.kind);
    }
  }
  if (said.size === 0) return history;
  return history.flatMap((entry): HistoryEntry[] => {
    if (entry.kind === 'stale' || (entry.kind === 'ack' && entry.attempt !== undefined)) return [];
    if (entry.kind !== 'maybe-ack') return [entry];
    const answer = answers.get(nameOf(entry));
    if (answer === undefined) return [entry];
    return answer === 'ack' ? [{ ...entry, kind: 'ack' }] : [];
  });
}

function nameOf({ subscription, id, attempt }: AckEntry | MaybeAckEntry | StaleEntry): string {
  return `${subscription} ${id} ${attempt}`;
}

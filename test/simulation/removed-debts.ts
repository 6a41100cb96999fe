import type { DeadLetter, JsonObject, StateStore } from '@event-manager/core';
import type { AckEntry, DeliverEntry, HistoryEntry, InvokeEntry } from '@event-manager/testing';

/**
 * The events that never came to a subscription, where its record admits that so many debts were removed; where it admits
 * fewer, none. Somebody else may hold them in the log still.
 */
export async function removedDebts(
  history: readonly HistoryEntry[],
  names: ReadonlyMap<string, string>,
  letters: readonly DeadLetter[],
  state: StateStore,
): Promise<HistoryEntry[]> {
  const ended = endedOtherwise(history, names, letters);
  const ends: HistoryEntry[] = [];
  for (const [id, name] of names) {
    const isGone = (entry: HistoryEntry): entry is InvokeEntry =>
      entry.kind === 'invoke' &&
      entry.subscriptions?.includes(name) === true &&
      entry.optional?.includes(name) !== true &&
      !ended.has(entry.id) &&
      !ended.has(`${name} ${entry.id}`);
    const gone = new Set(history.filter(isGone).map((entry) => entry.id));
    const [record] = await state.get('debt-removal', [`${id}/0`]);
    const admitted = ((record?.value as JsonObject | undefined)?.['count'] as number | undefined) ?? 0;
    if (gone.size > admitted) continue;
    for (const event of gone) ends.push({ kind: 'end', subscription: name, id: event, state: 'removed' });
  }
  return ends;
}

/** Cancelled events by id; taken and dead ones by subscription and id. */
function endedOtherwise(
  history: readonly HistoryEntry[],
  names: ReadonlyMap<string, string>,
  letters: readonly DeadLetter[],
): ReadonlySet<string> {
  const isTaken = (entry: HistoryEntry): entry is DeliverEntry | AckEntry =>
    entry.kind === 'ack' || (entry.kind === 'deliver' && entry.failed !== true);
  return new Set([
    ...history.flatMap((entry) => (entry.kind === 'cancel' ? [entry.id] : [])),
    ...history.filter(isTaken).map((entry) => `${entry.subscription} ${entry.id}`),
    ...letters.map(({ subscriptionId, eventId }) => `${names.get(subscriptionId)} ${eventId}`),
  ]);
}

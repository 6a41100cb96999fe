import type { DeadLetter, JsonObject, StateStore } from '@event-manager/core';
import { type HistoryEntry, type InvokeEntry, settledAcknowledgements } from '@event-manager/testing';

/**
 * The events that a subscription was owed to the end, where its record admits that so many debts were removed; where it
 * admits fewer, none. Somebody else may hold them in the log still. One that the receiver took was owed again when the
 * process died before that was durable, and refused the next time: so its latest delivery says how it stands.
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

/** Cancelled events by id; dead ones, and those whose latest delivery was taken, by subscription and id. */
function endedOtherwise(
  history: readonly HistoryEntry[],
  names: ReadonlyMap<string, string>,
  letters: readonly DeadLetter[],
): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const entry of settledAcknowledgements(history)) {
    // What nobody knows of is not called lost either.
    if (entry.kind !== 'ack' && entry.kind !== 'maybe-ack' && entry.kind !== 'deliver') continue;
    const name = `${entry.subscription} ${entry.id}`;
    if (entry.kind === 'deliver' && entry.failed === true) taken.delete(name);
    else taken.add(name);
  }
  return new Set([
    ...history.flatMap((entry) => (entry.kind === 'cancel' ? [entry.id] : [])),
    ...taken,
    ...letters.map(({ subscriptionId, eventId }) => `${names.get(subscriptionId)} ${eventId}`),
  ]);
}

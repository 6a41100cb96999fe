import type { EventBusAdapter, JsonObject } from '@event-manager/core';

/**
 * What retention may do at most: removes the events that no subscription can still be owed. An event whose publisher may
 * repeat it stays, because its id is forgotten with it: the repetition would be a new event.
 */
export async function trimWhatIsSettled(
  adapter: EventBusAdapter,
  subscriptionIds: readonly string[],
  isAcknowledged: (eventId: string) => boolean,
): Promise<void> {
  const { store, state } = adapter;
  let pin = (await store.bounds())[0]!.head;
  for (const id of subscriptionIds) {
    const [progress] = await state.get('progress', [`${id}/0`]);
    const lanes = (progress?.value as JsonObject | undefined)?.['lanes'] as unknown as [number, number][] | undefined;
    for (const [scanned] of lanes ?? []) pin = Math.min(pin, scanned);
    // What waits behind a blocked key is settled as far as its lane is concerned, and becomes a debt when its turn comes.
    const blocked = await state.load('blocked', { prefix: `${id}/0/`, limit: 10_000 });
    for (const { value } of blocked.entries) {
      const { from } = value as JsonObject;
      if (typeof from === 'number') pin = Math.min(pin, from - 1);
    }
    const owed = await state.load('owed', { prefix: `${id}/0/`, limit: 1 });
    const first = owed.entries[0];
    if (first) pin = Math.min(pin, Number(first.key.split('/').at(-1)) - 1);
  }
  // What was for later is appended first and forgotten after: until then it is appended again after a crash.
  const later = await state.load('schedule-event', { limit: 10_000 });
  const isLater = new Set(later.entries.map(({ key }) => key));
  const { first } = (await store.bounds())[0]!;
  const { records } = await store.read(0, first - 1, { limit: 10_000, bytesMax: Number.MAX_SAFE_INTEGER, until: pin });
  const open = records.find((record) => !isAcknowledged(record.id) || isLater.has(record.id));
  if (open) pin = Math.min(pin, open.place.position - 1);
  if (pin >= first) await store.trim([{ partition: 0, position: pin }]);
}

import type { EventBusAdapter, JsonObject } from '@event-manager/core';

/** What retention may do at most: removes the events that no subscription can still be owed. */
export async function trimWhatIsSettled(adapter: EventBusAdapter, subscriptionIds: readonly string[]): Promise<void> {
  const { store, state } = adapter;
  let pin = (await store.bounds())[0]!.head;
  for (const id of subscriptionIds) {
    const [progress] = await state.get('progress', [`${id}/0`]);
    const lanes = (progress?.value as JsonObject | undefined)?.['lanes'] as unknown as [number, number][] | undefined;
    for (const [scanned] of lanes ?? []) pin = Math.min(pin, scanned);
    const owed = await state.load('owed', { prefix: `${id}/0/`, limit: 1 });
    const first = owed.entries[0];
    if (first) pin = Math.min(pin, Number(first.key.split('/').at(-1)) - 1);
  }
  if (pin > 0) await store.trim([{ partition: 0, position: pin }]);
}

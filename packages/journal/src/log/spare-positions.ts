import { type JsonValue, positionNamedBy } from '@event-manager/core';
import { type DamageRegister, type Range, recordLost } from '../damage.ts';
import type { Folder } from '../files/folder.ts';
import type { StateEntries } from '../state/state-entries.ts';
import type { LogCore } from './log-core.ts';

/**
 * The state may know events that the log has not: a disk that lost what it had synced loses it where nothing but the state
 * can tell. Those events are gone, but their positions must not be used again: dead letters, debts and progress name them.
 * So the log goes on behind the highest one, and the hole is put on record as lost, durably, before anything is appended.
 */
export async function sparePositions(
  folder: Folder,
  core: LogCore,
  damage: DamageRegister,
  entries: StateEntries,
): Promise<Range | undefined> {
  let named = 0;
  for (const [kind, key, { json }] of entries.all()) {
    // A value that is not in memory is a large dead letter, whose key says it all.
    named = Math.max(
      named,
      positionNamedBy(kind, key, () => JSON.parse(json!) as JsonValue),
    );
  }
  if (named <= core.head) return undefined;
  const lost = { from: core.head + 1, through: named };
  damage.accept(await recordLost(folder, [lost]));
  core.head = named;
  return lost;
}

import type { Position } from '../../contracts/event-store.ts';
import type { StateStore } from '../../contracts/state-store.ts';
import type { JsonObject } from '../../json.ts';
import type { Limits } from '../../limits.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { statePages } from '../../state-pages.ts';
import type { OrderOptions } from '../../subscription/options/order-options.ts';
import { isRelease, type KeyRecord, type KeyRelease, keyRecordFromJson } from './key-record.ts';
import { OrderedKeys } from './ordered-keys.ts';
import { isOrder, type KeyMeaning } from './ordering-key.ts';
import { type SettledAhead, settledAhead } from './settled-ahead.ts';

/** The keys of a subscription; `undefined` where nothing is ordered and nothing waits from a time when it was. */
export function openKeys(
  options: OrderOptions,
  facts: {
    /** What keys mean from now on. */
    readonly meaning: KeyMeaning | undefined;
    /** What an earlier owner left of the queue. */
    readonly progress: JsonObject | undefined;
    readonly head: Position;
    readonly kept: KeptKeys;
    durable: boolean;
    limits: Limits;
    inFlightMax: number;
    prefix: string;
    planted: Runtime['planted'];
  },
): OrderedKeys | undefined {
  const { kept, durable, limits, inFlightMax, prefix, planted } = facts;
  const meaning = isOrder(facts.meaning) ? facts.meaning : undefined;
  if (meaning === undefined && kept.records.length === 0) return undefined;
  return new OrderedKeys({
    ...{ meaning, durable, prefix },
    ahead: meaning === undefined ? undefined : aheadOf(meaning, facts.progress, facts.head),
    parksDead: options.onFailure === 'park' && !planted.has('parked-key-goes-on'),
    goesOnAfterFailure: planted.has('key-order-lost-after-retry'),
    heldMax: inFlightMax,
    knownMax: limits.laneEntriesMax,
    blockedMax: limits.blockedKeysMax,
  });
}

function aheadOf(meaning: KeyMeaning, progress: JsonObject | undefined, head: Position): SettledAhead | undefined {
  if (progress?.['order'] === meaning) return progress['ahead'] as unknown as SettledAhead | undefined;
  return settledAhead(progress, head);
}

/** What is durable of the keys of one subscription. */
export interface KeptKeys {
  readonly records: readonly KeyRecord[];
  readonly released: readonly KeyRelease[];
}

export const NO_KEYS: KeptKeys = { records: [], released: [] };

export async function loadKeyRecords(state: StateStore, prefix: string): Promise<KeptKeys> {
  const records: KeyRecord[] = [];
  const released: KeyRelease[] = [];
  for await (const page of statePages(state, 'blocked', prefix)) {
    for (const { value } of page) {
      const record = keyRecordFromJson(value as JsonObject);
      if (isRelease(value as JsonObject)) released.push(record);
      else records.push(record);
    }
  }
  return { records, released };
}

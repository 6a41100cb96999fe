import type { Partition } from '../contracts/event-store.ts';
import type { StateStore } from '../contracts/state-store.ts';
import { lanesOf } from '../dispatch/inherited.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import { isReleaseOf, type KeyRecord, keyReleaseName } from '../dispatch/order/key-record.ts';
import { loadKeyRecords } from '../dispatch/order/open-keys.ts';
import { isOrder, type KeyMeaning, keyReader } from '../dispatch/order/ordering-key.ts';
import { isSettledAhead } from '../dispatch/order/settled-ahead.ts';
import { Owed } from '../dispatch/owed.ts';
import { queueKeys } from '../dispatch/serve.ts';
import type { JsonObject } from '../json.ts';
import { statePages } from '../state-pages.ts';
import { owing } from './live-standing.ts';
import type { Standing } from './standing.ts';

/** Where an event stands by the records of a subscription that nobody serves. */
export async function keptStanding(
  state: StateStore,
  subscriptionId: string,
  partition: Partition,
  kept: KeptEvent,
): Promise<Standing> {
  const keys = queueKeys(subscriptionId, partition);
  const { position, lane } = kept;
  const [owed] = await state.get('owed', [keys.owed(position)]);
  if (owed) return owing(Owed.fromJson(position, owed.value as JsonObject));
  const behind = await keyStanding(state, keys.owedPrefix, kept);
  if (behind) return behind;
  const [progress] = await state.get('progress', [keys.progress]);
  const value = progress?.value as JsonObject | undefined;
  const record = lanesOf(value)?.[lane];
  if (!value || !record) return { at: 'waiting' };
  const [scanned, , settled] = record;
  const isSettled = position <= scanned || settled.some(([from, through]) => from <= position && position <= through);
  if (isSettled) return { at: 'settled' };
  const meaning = value['order'] as KeyMeaning | undefined;
  return (isOrder(meaning) && (await inFrontOf(state, keys.owedPrefix, meaning, kept))) || { at: 'waiting' };
}

/** Something of its key goes before it, though nobody has looked at it yet. */
async function inFrontOf(
  state: StateStore,
  prefix: string,
  meaning: KeyMeaning,
  kept: KeptEvent,
): Promise<Standing | undefined> {
  const key = keyReader(meaning)(kept);
  const { records, released } = await loadKeyRecords(state, prefix);
  const record = records.find((each) => each.key === key && each.meaning === meaning);
  const release = released.find((each) => record && keyReleaseName(each) === keyReleaseName(record));
  const parked = record?.parked && !isReleaseOf(release, record.parked) ? record.parked : undefined;
  if (parked) return { at: 'key', key, before: 0, parked };
  const head = await headOf(state, prefix, { key, meaning });
  return head === undefined ? undefined : { at: 'key', key, before: 0, head };
}

async function keyStanding(state: StateStore, prefix: string, kept: KeptEvent): Promise<Standing | undefined> {
  const { records, released } = await loadKeyRecords(state, prefix);
  const record = records.find((each) => owes(each, kept));
  if (!record) return undefined;
  const release = released.find((each) => keyReleaseName(each) === keyReleaseName(record));
  const parked = isReleaseOf(release, record.parked) ? undefined : record.parked;
  const head = parked ? undefined : await headOf(state, prefix, record);
  const { key } = record;
  return { at: 'key', key, before: 0, ...(parked ? { parked } : {}), ...(head === undefined ? {} : { head }) };
}

function owes({ from, through, ahead, meaning, key }: KeyRecord, kept: KeptEvent): boolean {
  if (kept.position < from || kept.position > through) return false;
  if (ahead && isSettledAhead(ahead, kept.lane, kept.position)) return false;
  return keyReader(meaning)(kept) === key;
}

async function headOf(
  state: StateStore,
  prefix: string,
  { key, meaning }: Pick<KeyRecord, 'key' | 'meaning'>,
): Promise<number | undefined> {
  for await (const page of statePages(state, 'owed', prefix)) {
    for (const entry of page) {
      const owed = Owed.fromJson(Number(entry.key.slice(prefix.length)), entry.value as JsonObject);
      if (owed.key === key && owed.keyMeaning === meaning) return owed.position;
    }
  }
  return undefined;
}

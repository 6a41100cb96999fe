/**
 * What one subscription owes of the oldest events of the log, by its durable records, and the changes that make it none.
 *
 * Nobody may serve the subscription meanwhile: these records are the truth then. An event is owed when it
 * - has a record of its own (`owed`): it failed once, or was under way when a process died;
 * - stands in the range of a key that is blocked or parked (`blocked`); or
 * - lies above what its lane has scanned, is not among what is settled there, and its topic and priority match.
 *
 * The changes reach the store in one commit: the lanes begin behind the removed range, and what stood in it is no debt any
 * more. After a crash either all of it happened, with the record of how much it was, or nothing.
 */
import type { Position } from '../contracts/event-store.ts';
import type { StateChange, StateStore } from '../contracts/state-store.ts';
import { tellsOf } from '../dispatch/claim.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import { isRelease, type KeyRecord, keyRecordFromJson, keyRecordToJson } from '../dispatch/order/key-record.ts';
import { type KeyReader, keyReader } from '../dispatch/order/ordering-key.ts';
import type { QueueKeys } from '../dispatch/queue-options.ts';
import type { SettledRange } from '../dispatch/settled-ranges.ts';
import type { Event } from '../event/event.ts';
import { HAS_EXPIRY } from '../event/flags.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { matchesPattern, type Pattern, parsePattern } from '../topic/pattern.ts';

const PAGE = 1_000;

type LaneProgress = readonly [scanned: Position, reserved: Position, settled: readonly SettledRange[]];

/** What becomes of a debt that is looked at for the last time: only `removed` is one that somebody would have got. */
export type Fate = 'removed' | 'expired' | 'skipped' | 'withdrawn';

export interface DebtFacts {
  readonly state: StateStore;
  readonly keys: QueueKeys;
  readonly definition: SubscriptionDefinition;
  readonly limits: Limits;
  /** What its filter says. */
  readonly matches: ((event: Event) => boolean) | undefined;
  /** Nothing behind this position is asked for. */
  readonly through: Position;
}

interface BlockedKey {
  readonly name: string;
  readonly record: KeyRecord;
  readonly keyOf: KeyReader;
  removed: number;
}

export class Debt {
  readonly #facts: DebtFacts;
  readonly #pattern: Pattern;
  readonly #progress: JsonObject;
  readonly #lanes: readonly LaneProgress[];
  readonly #owed: ReadonlySet<Position>;
  readonly #blocked: readonly BlockedKey[];

  private constructor(facts: DebtFacts, progress: JsonObject, owed: ReadonlySet<Position>, blocked: BlockedKey[]) {
    this.#facts = facts;
    this.#pattern = parsePattern(facts.definition.topic, facts.limits);
    this.#progress = progress;
    this.#lanes = (progress['lanes'] ?? []) as unknown as readonly LaneProgress[];
    this.#owed = owed;
    this.#blocked = blocked;
  }

  /** Reads what is durable; `undefined` for a subscription that has no place in the log, because it was removed meanwhile. */
  static async load(facts: DebtFacts): Promise<Debt | undefined> {
    const { state, keys } = facts;
    const [progress] = await state.get('progress', [keys.progress]);
    if (!progress) return undefined;
    const owed = new Set<Position>();
    for await (const { key } of entriesOf(state, 'owed', keys.owedPrefix)) {
      const position = Number(key.slice(keys.owedPrefix.length));
      if (position > facts.through) break;
      owed.add(position);
    }
    const readers = new Map<string, KeyReader>();
    const blocked: BlockedKey[] = [];
    for await (const { key: name, value } of entriesOf(state, 'blocked', keys.owedPrefix)) {
      if (isRelease(value as JsonObject)) continue;
      const record = keyRecordFromJson(value as JsonObject);
      if (record.from > facts.through) continue;
      const keyOf = readers.get(record.meaning) ?? keyReader(record.meaning);
      readers.set(record.meaning, keyOf);
      blocked.push({ name, record, keyOf, removed: 0 });
    }
    return new Debt(facts, progress.value as JsonObject, owed, blocked);
  }

  /** True when the event, which is one of the oldest, is a debt or would have been looked at to find out. */
  owes(kept: KeptEvent): boolean {
    return this.#owed.has(kept.position) || this.#keyOf(kept) !== undefined || this.#isUnscanned(kept);
  }

  /** What becomes of an event that it owes. To be asked once for each. */
  fateOf(kept: KeptEvent, wallMs: number): Fate {
    const { definition, matches } = this.#facts;
    const key = this.#keyOf(kept);
    if (key) key.removed++;
    const isOld = key !== undefined || this.#owed.has(kept.position);
    if ((kept.flags & HAS_EXPIRY) !== 0) {
      const { expiresAt } = kept.event.metadata;
      if (expiresAt && expiresAt.getTime() <= wallMs) return 'expired';
    }
    if (!this.#wants(kept) || tellsOf(definition, kept) || (matches && !matches(kept.event))) {
      return isOld ? 'withdrawn' : 'skipped';
    }
    return 'removed';
  }

  /** The changes by which nothing up to `through` is a debt. */
  removal(through: Position): StateChange[] {
    const { keys } = this.#facts;
    const lanes = this.#lanes.map(([scanned, reserved, settled]) => [
      Math.max(scanned, through),
      Math.max(reserved, through),
      settled.filter((range) => range[1] > through),
    ]);
    const progress = { ...this.#progress, lanes: lanes as unknown as JsonValue };
    const changes: StateChange[] = [{ kind: 'progress', key: keys.progress, value: progress }];
    for (const position of this.#owed) changes.push({ kind: 'owed', key: keys.owed(position) });
    for (const blocked of this.#blocked) changes.push(keyChange(blocked, through));
    return changes;
  }

  #isUnscanned(kept: KeptEvent): boolean {
    const lane = this.#lanes[kept.lane];
    if (!lane || kept.position <= lane[0] || !this.#wants(kept)) return false;
    return !lane[2].some(([from, through]) => from <= kept.position && kept.position <= through);
  }

  #wants(kept: KeptEvent): boolean {
    const { priority } = this.#facts.definition.options;
    return (priority === undefined || kept.lane <= priority) && matchesPattern(this.#pattern, kept.topic);
  }

  /** The blocked key in whose range the event stands. */
  #keyOf(kept: KeptEvent): BlockedKey | undefined {
    return this.#blocked.find(
      ({ record, keyOf }) =>
        record.from <= kept.position && kept.position <= record.through && keyOf(kept) === record.key,
    );
  }
}

/** The range of a key begins behind what is removed. A parked key stays parked also when nothing waits behind it any more. */
function keyChange({ name, record, removed }: BlockedKey, through: Position): StateChange {
  const isEmpty = record.through <= through;
  if (isEmpty && !record.parked) return { kind: 'blocked', key: name };
  const from = through + 1;
  const rest: KeyRecord = {
    ...record,
    from,
    through: Math.max(record.through, through),
    count: isEmpty ? 0 : Math.max(0, record.count - removed),
    tried: record.tried >= from ? record.tried : 0,
  };
  return { kind: 'blocked', key: name, value: keyRecordToJson(rest) };
}

async function* entriesOf(state: StateStore, kind: 'owed' | 'blocked', prefix: string) {
  let after: string | undefined;
  do {
    const page = await state.load(kind, { prefix, limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}

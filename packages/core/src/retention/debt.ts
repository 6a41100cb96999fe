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
import type { Revision, StateChange, StateEntry, StateStore } from '../contracts/state-store.ts';
import { tellsOf } from '../dispatch/claim.ts';
import { type LaneRecord, lanesOf } from '../dispatch/inherited.ts';
import type { KeptEvent } from '../dispatch/kept-event.ts';
import { isRelease, type KeyRecord, keyRecordFromJson, keyRecordToJson } from '../dispatch/order/key-record.ts';
import { type KeyMeaning, type KeyReader, keyReader } from '../dispatch/order/ordering-key.ts';
import { isSettledAhead } from '../dispatch/order/settled-ahead.ts';
import { afterRemoval } from '../dispatch/pace/rate-limit.ts';
import type { QueueKeys } from '../dispatch/queue-options.ts';
import { carriesItsEvent } from '../dispatch/redriven.ts';
import type { Event } from '../event/event.ts';
import { HAS_EXPIRY } from '../event/flags.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Limits } from '../limits.ts';
import { statePages } from '../state-pages.ts';
import type { SubscriptionDefinition } from '../subscription/subscription.ts';
import { matchesPattern, type Pattern, parsePattern } from '../topic/pattern.ts';

/** What becomes of a debt that is looked at for the last time: only `removed` is one that somebody would have got. */
export type Fate = 'removed' | 'expired' | 'skipped' | 'withdrawn';

export type Fates = Record<Fate, number>;

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
  removed: number;
  /** Events within its range that had expired: some did before they would have been put there, and were counted then. */
  expired: number;
}

/** The keys of one meaning. There may be ten thousand, and each event is looked up once. */
interface BlockedKeys {
  readonly keyOf: KeyReader;
  readonly byKey: Map<string, BlockedKey>;
}

export class Debt {
  readonly #facts: DebtFacts;
  readonly #pattern: Pattern;
  readonly #progress: JsonObject;
  readonly #revision: Revision;
  readonly #lanes: readonly LaneRecord[];
  readonly #owed: ReadonlySet<Position>;
  readonly #blocked: readonly BlockedKeys[];

  private constructor(
    facts: DebtFacts,
    { value, revision }: StateEntry,
    owed: ReadonlySet<Position>,
    blocked: readonly BlockedKeys[],
  ) {
    const progress = value as JsonObject;
    this.#revision = revision;
    this.#facts = facts;
    this.#pattern = parsePattern(facts.definition.topic, facts.limits);
    this.#progress = progress;
    this.#lanes = lanesOf(progress) ?? [];
    this.#owed = owed;
    this.#blocked = blocked;
  }

  /** Reads what is durable; `undefined` for a subscription that has no place in the log, because it was removed meanwhile. */
  static async load(facts: DebtFacts): Promise<Debt | undefined> {
    const { state, keys } = facts;
    const [progress] = await state.get('progress', [keys.progress]);
    if (!progress) return undefined;
    const owed = new Set<Position>();
    for await (const { key, value } of entriesOf(state, 'owed', keys.owedPrefix)) {
      const position = Number(key.slice(keys.owedPrefix.length));
      if (position > facts.through) break;
      // What was taken up again is owed whatever becomes of the log.
      if (!carriesItsEvent(value as JsonObject)) owed.add(position);
    }
    const blocked = new Map<KeyMeaning, BlockedKeys>();
    for await (const { key: name, value } of entriesOf(state, 'blocked', keys.owedPrefix)) {
      if (isRelease(value as JsonObject)) continue;
      const record = keyRecordFromJson(value as JsonObject);
      if (record.from > facts.through) continue;
      const { key, meaning } = record;
      if (!blocked.has(meaning)) blocked.set(meaning, { keyOf: keyReader(meaning), byKey: new Map() });
      blocked.get(meaning)!.byKey.set(key, { name, record, removed: 0, expired: record.expired ?? 0 });
    }
    return new Debt(facts, progress, owed, [...blocked.values()]);
  }

  /** True when the event, which is one of the oldest, is a debt or would have been looked at to find out. */
  owes(kept: KeptEvent): boolean {
    return this.#owed.has(kept.position) || this.#keyOf(kept) !== undefined || this.#isUnscanned(kept);
  }

  /** What becomes of those of `events`, all of the oldest, that it owes up to `facts.through`. To be asked once. */
  fatesOf(
    events: readonly KeptEvent[],
    wallMs: number,
  ): { readonly fates: Fates; readonly from: Position | undefined } {
    const { through } = this.#facts;
    const fates: Fates = { removed: 0, expired: 0, skipped: 0, withdrawn: 0 };
    let from: Position | undefined;
    for (const kept of events) {
      if (kept.position > through || !this.owes(kept)) continue;
      from ??= kept.position;
      const key = this.#keyOf(kept);
      const fate = this.#fateOf(kept, wallMs, key !== undefined || this.#owed.has(kept.position));
      if (!key) fates[fate]++;
      else if (fate === 'removed') {
        fates.removed++;
        key.removed++;
      } else if (fate === 'expired') key.expired++;
    }
    this.#countEndedRanges(through, fates);
    return { fates, from };
  }

  /** The changes by which nothing up to `through` is a debt. They are refused when somebody made the subscription anew meanwhile. */
  removal(through: Position): StateChange[] {
    const { keys, definition } = this.#facts;
    const isLimited = definition.options.rateLimitPerMinute !== undefined;
    const before = isLimited ? afterRemoval(this.#progress) : this.#progress;
    const lanes = this.#lanes.map(([scanned, reserved, settled]) => [
      Math.max(scanned, through),
      Math.max(reserved, through),
      settled.filter((range) => range[1] > through),
    ]);
    const progress = { ...before, lanes: lanes as unknown as JsonValue };
    const ifRevision = this.#revision;
    const changes: StateChange[] = [{ kind: 'progress', key: keys.progress, value: progress, ifRevision }];
    for (const position of this.#owed) changes.push({ kind: 'owed', key: keys.owed(position) });
    for (const blocked of this.#blockedKeys()) changes.push(keyChange(blocked, through));
    return changes;
  }

  #fateOf(kept: KeptEvent, wallMs: number, isOld: boolean): Fate {
    const { definition, matches } = this.#facts;
    if ((kept.flags & HAS_EXPIRY) !== 0) {
      const { expiresAt } = kept.event.metadata;
      if (expiresAt && expiresAt.getTime() <= wallMs) return 'expired';
    }
    if (!this.#wants(kept) || tellsOf(definition, kept) || (matches && !matches(kept.event))) {
      return isOld ? 'withdrawn' : 'skipped';
    }
    return 'removed';
  }

  /**
   * An event in the range of a key that had expired or does not match may have been passed over before it would have been put
   * there, and was counted then. How many were put there the record says: what is not removed of them is one or the other. Of a
   * range that goes on both numbers stay in its record, and whoever comes to the end of it counts them.
   */
  #countEndedRanges(through: Position, fates: Fates): void {
    for (const { record, removed, expired } of this.#blockedKeys()) {
      if (record.through > through) continue;
      const others = Math.max(0, record.count - removed);
      fates.expired += Math.min(others, expired);
      fates.withdrawn += others - Math.min(others, expired);
    }
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

  *#blockedKeys(): Generator<BlockedKey> {
    for (const { byKey } of this.#blocked) yield* byKey.values();
  }

  /** The blocked key that owes the event. */
  #keyOf(kept: KeptEvent): BlockedKey | undefined {
    for (const { keyOf, byKey } of this.#blocked) {
      const found = byKey.get(keyOf(kept));
      if (found && isInRange(found.record, kept)) return found;
    }
    return undefined;
  }
}

function isInRange({ from, through, ahead }: KeyRecord, { position, lane }: KeptEvent): boolean {
  return from <= position && position <= through && !(ahead && isSettledAhead(ahead, lane, position));
}

/** The range of a key begins behind what is removed. A parked key stays parked also when nothing waits behind it any more. */
function keyChange({ name, record, removed, expired }: BlockedKey, through: Position): StateChange {
  const isEmpty = record.through <= through;
  if (isEmpty && !record.parked) return { kind: 'blocked', key: name };
  const from = through + 1;
  const suspects = record.suspects?.filter((range) => range[1] > through);
  const rest: KeyRecord = {
    ...record,
    from,
    suspects: suspects && suspects.length > 0 ? suspects : undefined,
    through: Math.max(record.through, through),
    count: isEmpty ? 0 : Math.max(0, record.count - removed),
    expired: isEmpty ? undefined : expired,
    tried: record.tried >= from ? record.tried : 0,
  };
  return { kind: 'blocked', key: name, value: keyRecordToJson(rest) };
}

async function* entriesOf(state: StateStore, kind: 'owed' | 'blocked', prefix: string) {
  for await (const page of statePages(state, kind, prefix)) yield* page;
}

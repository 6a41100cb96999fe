/**
 * The keys of ordered subscriptions whose later events wait: looked at, and released when they are parked.
 *
 * Where a subscription is served, its queue knows; elsewhere its records do. A release there is a record beside that of the
 * key, because the process that serves the subscription may write that of the key at any time. It is written in one commit with a
 * change of the definition: a process that serves the subscription takes it up anew because of that, and whoever serves it next
 * heeds it in any case.
 *
 * A release may be repeated, because whoever asked for one did not hear whether it is durable: so it always resolves
 * when it is, also when the key goes on already.
 */
import type { StateChange, StateStore } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { KeyEntry } from '../dispatch/order/key-entry.ts';
import { isReleaseOf, type KeyRecord, keyReleaseName, keyReleaseToJson } from '../dispatch/order/key-record.ts';
import { loadKeyRecords } from '../dispatch/order/open-keys.ts';
import { Owed } from '../dispatch/owed.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { queueKeys } from '../dispatch/serve.ts';
import { EventManagerError } from '../errors/event-manager-error.ts';
import type { JsonObject } from '../json.ts';
import type { Principal } from '../principal.ts';
import type { Clock } from '../runtime/clock.ts';
import { statePages } from '../state-pages.ts';
import { type Catalog, changedAtMs } from './catalog.ts';
import type { Duty } from './duty.ts';

const PAGE = 1_000;
const LISTED: readonly unknown[] = ['blocked', 'parked'];

/** A key whose later events wait. */
export interface BlockedKey {
  readonly key: string;
  /**
   * `blocked`: for a retry, or because they are many and come one after the other. `parked`: for somebody to release it.
   * `free`, which no list has: it was asked to be released, and nothing of it waits.
   */
  readonly state: 'blocked' | 'parked' | 'free';
  /** How many events wait, the one that is tried again not counted. */
  readonly waiting: number;
  /** Of a parked key: since when, in milliseconds since 1970. */
  readonly parkedAtMs?: number;
  /** The dead letter it is parked for. */
  readonly deadLetterId?: string;
}

/** Which keys are asked for. */
export interface KeysRequest {
  /** Absent: all of them. */
  readonly state?: 'blocked' | 'parked' | undefined;
}

export interface BlockedKeysPage {
  /** In the order of their keys. */
  readonly keys: readonly BlockedKey[];
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
}

/** What the release of all parked keys let go on. */
export interface ReleasedKeys {
  /** Keys that were parked. */
  readonly released: number;
  /** Events that waited in them. */
  readonly waiting: number;
}

export interface BlockedKeysOptions {
  readonly state: StateStore;
  readonly dispatch: PartitionDispatch;
  readonly catalog: Catalog;
  readonly duty: Duty;
  readonly clock: Clock;
}

export class BlockedKeys {
  readonly #options: BlockedKeysOptions;

  constructor(options: BlockedKeysOptions) {
    this.#options = options;
  }

  /** All of them: at most as many as `blockedKeysMax`, and the debts of `owedMax`. Throws `subscription_not_found`. */
  async all(
    _principal: Principal,
    subscriptionId: string,
    { state }: KeysRequest = {},
  ): Promise<readonly BlockedKey[]> {
    const { catalog, dispatch } = this.#options;
    if (state !== undefined && !LISTED.includes(state)) {
      throw new EventManagerError('invalid_query', `One of ${LISTED.join(', ')} is expected.`, { pointer: '/state' });
    }
    catalog.known(subscriptionId);
    const active = dispatch.active.get(subscriptionId);
    const keys = active ? served(active) : await this.#unserved(subscriptionId);
    const wanted = state === undefined ? keys : keys.filter((key) => key.state === state);
    return wanted.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** The same, a page at a time. */
  async page(
    principal: Principal,
    request: KeysRequest & { subscriptionId: string; after?: string | undefined; limit: number },
  ): Promise<BlockedKeysPage> {
    const { subscriptionId, after, limit } = request;
    const all = await this.all(principal, subscriptionId, request);
    const rest = after === undefined ? all : all.filter(({ key }) => key > after);
    const keys = rest.slice(0, limit);
    return rest.length > limit ? { keys, next: keys.at(-1)!.key } : { keys };
  }

  /**
   * The events that wait behind a dead letter go on; resolves with the key as it was, when that is durable. One that is not
   * parked stays as it is, so a release may be repeated. Throws `subscription_not_found`, and
   * what the store throws that takes nothing for now: the key goes on all the same.
   */
  release(_principal: Principal, subscriptionId: string, key: string): Promise<BlockedKey> {
    const { catalog, duty, dispatch } = this.#options;
    return duty.exclusive(subscriptionId, async () => {
      catalog.known(subscriptionId);
      const active = dispatch.active.get(subscriptionId);
      return active ? this.#releaseServed(active, key) : this.#releaseUnserved(subscriptionId, key);
    });
  }

  /**
   * The same for all keys that are parked now, a thousand with a commit: one that is parked again meanwhile stays so. Resolves
   * with how many there were. When it throws some may go on; whoever repeats it releases the others.
   */
  releaseAll(_principal: Principal, subscriptionId: string): Promise<ReleasedKeys> {
    const { catalog, duty, dispatch } = this.#options;
    return duty.exclusive(subscriptionId, async () => {
      catalog.known(subscriptionId);
      const active = dispatch.active.get(subscriptionId);
      return active ? this.#releaseAllServed(active) : this.#releaseAllUnserved(subscriptionId);
    });
  }

  async #releaseServed(active: ActiveSubscription, key: string): Promise<BlockedKey> {
    const entries = [...(active.queue.keys?.under(key) ?? [])];
    const waiting = entries.find(({ parked }) => parked) ?? entries.find(({ isBlocked }) => isBlocked);
    const before = waiting ? described(waiting) : free(key);
    for (const entry of entries) active.queue.keys!.release(entry);
    await this.#goOn(active);
    return before;
  }

  async #releaseAllServed(active: ActiveSubscription): Promise<ReleasedKeys> {
    const { keys } = active.queue;
    const parked = [...(keys?.parked ?? [])].map((entry) => ({ entry, parked: entry.parked! }));
    let waiting = 0;
    for (const page of pagesOf(parked)) {
      for (const { entry, parked } of page) {
        waiting += entry.waiting;
        keys!.release(entry, parked);
      }
      await this.#goOn(active);
    }
    if (parked.length === 0) await this.#goOn(active);
    return { released: parked.length, waiting };
  }

  /** Resolves when what was released, now or before, is durable. */
  async #goOn(active: ActiveSubscription): Promise<void> {
    const { dispatcher, checkpoint } = this.#options.dispatch;
    dispatcher.wake(active);
    if (!active.queue.isCommitted) await checkpoint.durable(active);
  }

  async #releaseUnserved(id: string, key: string): Promise<BlockedKey> {
    const kept = (await this.#kept(id)).filter(({ record }) => record.key === key);
    const before = kept.find(isParked) ?? kept[0];
    await this.#writeReleases(
      id,
      kept.filter(({ record }) => record.parked),
    );
    if (before) return describedRecord(before);
    return (await this.#owedKeys(id)).has(key) ? retried(key) : free(key);
  }

  async #releaseAllUnserved(id: string): Promise<ReleasedKeys> {
    const kept = await this.#kept(id);
    await this.#writeReleases(
      id,
      kept.filter(({ record }) => record.parked),
    );
    const released = kept.filter(isParked);
    return { released: released.length, waiting: released.reduce((sum, { record }) => sum + record.count, 0) };
  }

  /** Also of those that were released before: whoever serves the subscription may not have heard of it. */
  async #writeReleases(id: string, kept: readonly Kept[]): Promise<void> {
    const { state, catalog, clock, dispatch } = this.#options;
    const { owedPrefix } = queueKeys(id, dispatch.partition);
    const pages = [...pagesOf(kept)].map((page) => page.map(({ record }) => releaseOf(owedPrefix, record)));
    const last = pages.pop();
    if (!last) return;
    for (const page of pages) await state.commit(page);
    await catalog.upToDate(id, () => {
      const definition = catalog.known(id);
      return catalog.update({ ...definition, updatedAtMs: changedAtMs(definition, clock) }, last);
    });
  }

  async #unserved(id: string): Promise<BlockedKey[]> {
    const keys = new Map((await this.#kept(id)).map((kept) => [kept.record.key, describedRecord(kept)]));
    for (const key of await this.#owedKeys(id)) if (!keys.has(key)) keys.set(key, retried(key));
    return [...keys.values()];
  }

  async #kept(id: string): Promise<Kept[]> {
    const { state, catalog, dispatch } = this.#options;
    if (!catalog.isDurable(id)) return [];
    const { records, released } = await loadKeyRecords(state, queueKeys(id, dispatch.partition).owedPrefix);
    const releases = new Map(released.map((release) => [keyReleaseName(release), release]));
    return records.map((record) => ({
      record,
      isReleased: isReleaseOf(releases.get(keyReleaseName(record)), record.parked),
    }));
  }

  /** Keys of which one event waits for its retry, be it with nothing behind it. */
  async #owedKeys(id: string): Promise<Set<string>> {
    const { state, catalog, dispatch } = this.#options;
    const keys = new Set<string>();
    if (!catalog.isDurable(id)) return keys;
    for await (const page of statePages(state, 'owed', queueKeys(id, dispatch.partition).owedPrefix)) {
      for (const { value } of page) {
        const { key } = Owed.fromJson(0, value as JsonObject);
        if (key !== undefined) keys.add(key);
      }
    }
    return keys;
  }
}

/** The record of a key, and whether it says less than a release that nobody has heeded yet. */
interface Kept {
  readonly record: KeyRecord;
  readonly isReleased: boolean;
}

function isParked({ record, isReleased }: Kept): boolean {
  return record.parked !== undefined && !isReleased;
}

function releaseOf(prefix: string, record: KeyRecord): StateChange {
  return { kind: 'blocked', key: prefix + keyReleaseName(record), value: keyReleaseToJson(record) };
}

function served({ queue }: ActiveSubscription): BlockedKey[] {
  const blocked: BlockedKey[] = [];
  for (const entry of queue.keys?.entries() ?? []) if (entry.isBlocked) blocked.push(described(entry));
  return blocked;
}

function described({ key, waiting, parked }: KeyEntry): BlockedKey {
  return { key, waiting, ...stateOf(parked) };
}

function describedRecord(kept: Kept): BlockedKey {
  const { key, count, parked } = kept.record;
  return { key, waiting: count, ...stateOf(isParked(kept) ? parked : undefined) };
}

function retried(key: string): BlockedKey {
  return { key, waiting: 0, state: 'blocked' };
}

function free(key: string): BlockedKey {
  return { key, state: 'free', waiting: 0 };
}

function stateOf(parked: KeyEntry['parked']): Omit<BlockedKey, 'key' | 'waiting'> {
  if (!parked) return { state: 'blocked' };
  const { atMs, deadLetterId } = parked;
  return { state: 'parked', parkedAtMs: atMs, ...(deadLetterId === undefined ? {} : { deadLetterId }) };
}

function* pagesOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += PAGE) yield items.slice(from, from + PAGE);
}

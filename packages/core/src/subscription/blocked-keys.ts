/**
 * The keys of ordered subscriptions whose later events wait: looked at, and released when they are parked.
 *
 * Where a subscription is served, its queue knows; elsewhere its records do. A release there is a record beside that of the
 * key, because the process that serves the subscription may write that of the key at any time. Whoever serves it next heeds
 * it, and a process that serves it now takes it up anew because its definition changed.
 */
import type { StateStore } from '../contracts/state-store.ts';
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import type { KeyEntry } from '../dispatch/order/key-entry.ts';
import { keyRecordName, keyReleaseToJson } from '../dispatch/order/key-record.ts';
import { loadKeyRecords } from '../dispatch/order/open-keys.ts';
import { Owed } from '../dispatch/owed.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { queueKeys } from '../dispatch/serve.ts';
import type { JsonObject } from '../json.ts';
import type { Principal } from '../principal.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Catalog } from './catalog.ts';
import type { Duty } from './duty.ts';

const PAGE = 1_000;

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

export interface BlockedKeysPage {
  /** In the order of their keys. */
  readonly keys: readonly BlockedKey[];
  /** Continues as `after`; absent on the last page. */
  readonly next?: string;
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
  async all(_principal: Principal, subscriptionId: string): Promise<readonly BlockedKey[]> {
    const { catalog, dispatch } = this.#options;
    catalog.known(subscriptionId);
    const active = dispatch.active.get(subscriptionId);
    const keys = active ? served(active) : await this.#unserved(subscriptionId);
    return keys.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** The same, a page at a time. */
  async page(
    principal: Principal,
    request: {
      subscriptionId: string;
      after?: string | undefined;
      limit: number;
      state?: BlockedKey['state'] | undefined;
    },
  ): Promise<BlockedKeysPage> {
    const { subscriptionId, after, limit, state } = request;
    const all = (await this.all(principal, subscriptionId)).filter((key) => state === undefined || key.state === state);
    const rest = after === undefined ? all : all.filter(({ key }) => key > after);
    const keys = rest.slice(0, limit);
    return rest.length > limit ? { keys, next: keys.at(-1)!.key } : { keys };
  }

  /**
   * The events that wait behind a dead letter go on; resolves with the key as it was, when that is durable. One that is not
   * parked stays as it is, so a release may be repeated. Throws `subscription_not_found`, and
   * what the store throws that takes nothing for now: the key goes on all the same.
   */
  release(principal: Principal, subscriptionId: string, key: string): Promise<BlockedKey> {
    const { catalog, duty, dispatch } = this.#options;
    return duty.exclusive(subscriptionId, async () => {
      catalog.known(subscriptionId);
      const before = (await this.all(principal, subscriptionId)).find((one) => one.key === key);
      if (before?.state !== 'parked') return before ?? { key, state: 'free', waiting: 0 };
      const active = dispatch.active.get(subscriptionId);
      if (active) await this.#releaseServed(active, key);
      else await this.#releaseUnserved(subscriptionId, key);
      return before;
    });
  }

  async #releaseServed(active: ActiveSubscription, key: string): Promise<void> {
    const { dispatcher, checkpoint } = this.#options.dispatch;
    active.queue.keys!.release(key);
    dispatcher.wake(active);
    await checkpoint.durable(active);
  }

  async #releaseUnserved(id: string, key: string): Promise<void> {
    const { state, catalog, clock, dispatch } = this.#options;
    const { owedPrefix } = queueKeys(id, dispatch.partition);
    const { records } = await loadKeyRecords(state, owedPrefix);
    const parked = records.filter((record) => record.key === key && record.parked);
    await state.commit(
      parked.map(({ meaning }) => ({
        kind: 'blocked',
        key: `${owedPrefix}${keyRecordName(meaning, key)}/release`,
        value: keyReleaseToJson(meaning, key),
      })),
    );
    await catalog.update({ ...catalog.known(id), updatedAtMs: clock.wallMs() });
  }

  async #unserved(id: string): Promise<BlockedKey[]> {
    const { state, catalog, dispatch } = this.#options;
    if (!catalog.isDurable(id)) return [];
    const { owedPrefix } = queueKeys(id, dispatch.partition);
    const { records, released } = await loadKeyRecords(state, owedPrefix);
    const isReleased = new Set(released.map(({ meaning, key }) => keyRecordName(meaning, key)));
    const keys = new Map<string, BlockedKey>();
    for (const { key, meaning, count, parked } of records) {
      const isParked = parked && !isReleased.has(keyRecordName(meaning, key));
      keys.set(key, { key, waiting: count, ...stateOf(isParked ? parked : undefined) });
    }
    for (const key of await this.#owedKeys(owedPrefix)) {
      if (!keys.has(key)) keys.set(key, { key, waiting: 0, state: 'blocked' });
    }
    return [...keys.values()];
  }

  /** Keys of which one event waits for its retry, and nothing behind it. */
  async #owedKeys(prefix: string): Promise<Set<string>> {
    const keys = new Set<string>();
    let after: string | undefined;
    do {
      const more = after === undefined ? {} : { after };
      const page = await this.#options.state.load('owed', { prefix, ...more, limit: PAGE });
      for (const { value } of page.entries) {
        const { key } = Owed.fromJson(0, value as JsonObject);
        if (key !== undefined) keys.add(key);
      }
      after = page.next;
    } while (after !== undefined);
    return keys;
  }
}

function served({ queue }: ActiveSubscription): BlockedKey[] {
  const blocked: BlockedKey[] = [];
  for (const entry of queue.keys?.entries() ?? []) if (entry.isBlocked) blocked.push(described(entry));
  return blocked;
}

function described(entry: KeyEntry): BlockedKey {
  return { key: entry.key, waiting: entry.count + entry.held.length, ...stateOf(entry.parked) };
}

function stateOf(parked: KeyEntry['parked']): Omit<BlockedKey, 'key' | 'waiting'> {
  if (!parked) return { state: 'blocked' };
  const { atMs, deadLetterId } = parked;
  return { state: 'parked', parkedAtMs: atMs, ...(deadLetterId === undefined ? {} : { deadLetterId }) };
}

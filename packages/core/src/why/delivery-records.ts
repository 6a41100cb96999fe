/**
 * Keeps the records of deliveries small: so many for each subscription, and none for longer than `retentionMs`. Every ten
 * minutes all are looked at; a subscription that writes many is trimmed in between, by as many as it wrote.
 *
 * Each process prunes what it serves, and what nobody serves. Two that prune the same delete the same, so no lease is asked for.
 * The oldest are those of the oldest events: keys are in the order of the log.
 */
import type { StateEntry, StateStore } from '../contracts/state-store.ts';
import type { DeliveryRecord } from '../dispatch/delivery-log.ts';
import { resourceOf } from '../dispatch/leases.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { statePages } from '../state-pages.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const RECORDS_MAX = 10_000;
const SWEEP_EVERY_MS = 10 * 60_000;
const PAGE = 1_000;

/** How long records of deliveries are kept, and how many. */
export interface DeliveryLogRetention {
  /** Milliseconds. Default: 7 days. */
  readonly retentionMs?: number | undefined;
  /** For each subscription. Default: 10,000. */
  readonly recordsMax?: number | undefined;
}

export interface DeliveryRecordsOptions {
  readonly state: StateStore;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  readonly isShared: boolean;
  readonly retention: DeliveryLogRetention | undefined;
  readonly onFailure: (error: unknown) => void;
}

export class DeliveryRecords {
  /** For so long they are kept, milliseconds. */
  readonly retentionMs: number;
  readonly #options: DeliveryRecordsOptions;
  readonly #recordsMax: number;
  /** Records that there are, of subscriptions that were counted; a record that was written over counts twice until the next sweep. */
  readonly #counts = new Map<string, number>();
  readonly #pruning: OneAtATime;
  /** Subscriptions that wrote many. */
  readonly #wanted = new Set<string>();
  #sweepAtMs: number;
  #cancel: Cancel | undefined;

  /** Throws `TypeError` for what cannot be meant. */
  constructor(options: DeliveryRecordsOptions) {
    const { retentionMs = 7 * DAY_MS, recordsMax = RECORDS_MAX } = options.retention ?? {};
    if (!(retentionMs >= 1)) throw new TypeError('deliveryLog.retentionMs is a number from 1 on.');
    if (!(recordsMax >= 1)) throw new TypeError('deliveryLog.recordsMax is a number from 1 on.');
    this.#options = options;
    this.retentionMs = retentionMs;
    this.#recordsMax = recordsMax;
    this.#sweepAtMs = options.runtime.clock.monotonicMs() + SWEEP_EVERY_MS;
    this.#pruning = new OneAtATime(
      () => this.#prune(),
      (error) => {
        // A store that is away is asked again; what is too many goes later.
        if (!isEventManagerError(error)) options.onFailure(error);
      },
    );
  }

  start(): void {
    const { dispatch } = this.#options;
    dispatch.log.onMany = (id) => {
      this.#wanted.add(id);
      this.#pruning.poke();
    };
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#pruning.stop();
  }

  #arm(): void {
    this.#cancel = this.#options.runtime.timers.after(SWEEP_EVERY_MS, () => {
      this.#pruning.poke();
      this.#arm();
    });
  }

  async #prune(): Promise<void> {
    for (const id of this.#wanted) {
      this.#wanted.delete(id);
      await this.#trim(id);
    }
    const nowMs = this.#options.runtime.clock.monotonicMs();
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + SWEEP_EVERY_MS;
    await this.#sweep();
  }

  /** So many that there are no more than there may be, the oldest first. */
  async #trim(id: string): Promise<void> {
    const { state, dispatch } = this.#options;
    const written = dispatch.log.take(id);
    const known = this.#counts.get(id);
    let count = known === undefined ? await this.#count(id) : known + written;
    while (count > this.#recordsMax) {
      const limit = Math.min(PAGE, count - this.#recordsMax);
      const { entries } = await state.load('attempt', { prefix: `${id}/`, limit });
      if (entries.length === 0) break;
      await this.#delete(entries);
      count -= entries.length;
    }
    this.#counts.set(id, count);
  }

  async #count(id: string): Promise<number> {
    let count = 0;
    for await (const page of statePages(this.#options.state, 'attempt', `${id}/`)) count += page.length;
    return count;
  }

  async #sweep(): Promise<void> {
    const { state } = this.#options;
    this.#counts.clear();
    for (let after = ''; ; ) {
      const [entry] = (await state.load('attempt', { after, limit: 1 })).entries;
      if (!entry) break;
      const id = entry.key.slice(0, entry.key.indexOf('/'));
      if (await this.#isOurs(id)) await this.#sweepOne(id);
      after = `${id}/\uffff`;
      await new Promise<void>((resolve) => this.#options.runtime.timers.soon(resolve));
    }
    this.#options.dispatch.log.forget((id) => !this.#options.dispatch.active.has(id));
  }

  /** What another process serves that one prunes. */
  async #isOurs(id: string): Promise<boolean> {
    const { isShared, dispatch, state } = this.#options;
    if (!isShared || dispatch.active.has(id)) return true;
    const [holder] = await state.holders([resourceOf(id)]);
    return holder === undefined;
  }

  async #sweepOne(id: string): Promise<void> {
    const { state, dispatch, runtime, isShared } = this.#options;
    const [definition] = await state.get('subscription', [id]);
    // What lives with its process has no definition here: where there are several, another one may have it.
    const isGone = definition === undefined && !dispatch.active.has(id) && !isShared;
    const oldestMs = isGone ? Number.POSITIVE_INFINITY : runtime.clock.wallMs() - this.retentionMs;
    let left = 0;
    for await (const page of statePages(state, 'attempt', `${id}/`)) {
      const old = page.filter(({ value }) => (value as unknown as DeliveryRecord).atMs < oldestMs);
      left += page.length - old.length;
      if (old.length > 0) await this.#delete(old);
    }
    dispatch.log.take(id);
    this.#counts.set(id, left);
    if (left > this.#recordsMax) await this.#trim(id);
  }

  async #delete(entries: readonly StateEntry[]): Promise<void> {
    await this.#options.state.commit(entries.map(({ key }) => ({ kind: 'attempt', key })));
  }
}

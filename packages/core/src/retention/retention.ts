/**
 * Removes the oldest events of the log by the policy, in the background.
 *
 *     idle ──every ten seconds──▶ looking ──nothing due──▶ idle
 *                                   │  ▲
 *                       events due  ▼  │ more are due: in a later turn of the event loop
 *                                 removing
 *
 * Where the number of events is limited it looks besides when many have come: a bus in memory would hold those of ten seconds.
 *
 * One step reads a bounded piece of the log, the oldest one, and says of each event whether it is due. It is removed up to
 * the first event that a subscription is owed (its pin), whether anybody serves that subscription or it is paused. What is
 * owed is held back until it is too old or the log too large for debts; then the debts end first: counted and recorded in one
 * commit per subscription, told on `$sys`, and only afterwards the events go. A crash between the two leaves events in the
 * log that nobody is owed; they go with the next step. What removes events from the log is the adapter's; a dead letter has
 * its own copy of its event.
 *
 * Where several processes share a store, one of them removes, by a lease. The debts of a subscription are ended by whoever
 * serves it, or by the one with the lease where nobody does; until then they hold the log.
 */
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { Bounds, Position, Recorded } from '../contracts/event-store.ts';
import type { Lease } from '../contracts/state-store.ts';
import { KeptEvent } from '../dispatch/kept-event.ts';
import { OneAtATime } from '../dispatch/one-at-a-time.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { callAsBus } from '../sink/handler-calls.ts';
import { firstAppendedAgain } from './appended-again.ts';
import { dueRange } from './due-range.ts';
import type { Holders } from './holders.ts';
import { noRetentionCounts, type RetentionCounts } from './retention-counts.ts';
import { type RetentionOptions, type RetentionPolicy, readRetention } from './retention-policy.ts';
import { readTrimMark, type TrimHere, type TrimMark, trimMarkChange } from './trim-mark.ts';

const EVERY_MS = 10_000;
/** Some ten megabytes of a log in memory. More often, and a log that is held back would be looked at for nothing. */
const EVERY_EVENTS = 20_000;
/** Events of one step, and bytes of their bodies: some milliseconds. */
const STEP_EVENTS = 1_000;
const STEP_BYTES = 1024 * 1024;
const LEASE = 'retention';
const LEASE_TTL_MS = 4 * EVERY_MS;

export interface RetentionParts {
  readonly adapter: EventBusAdapter;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  readonly holders: Holders;
  readonly trimHere: TrimHere;
  /** Distinguishes this process among those that share a store. */
  readonly owner: string;
  readonly onFailure: (error: unknown) => void;
}

export class Retention {
  readonly counts: RetentionCounts = noRetentionCounts();
  readonly #parts: RetentionParts;
  readonly #working: OneAtATime;
  #policy: RetentionPolicy | undefined;
  #cancel: Cancel | undefined;
  /** The head of the log when it was looked at because of that. */
  #lookedAt: Position = 0;
  #lease: Lease | undefined;
  /** The wall clock less the monotonic one, when the engine was opened. */
  readonly #wallAheadMs: number;

  /** Throws what `readRetention` throws. */
  constructor(parts: RetentionParts, options: RetentionOptions | undefined) {
    const { clock } = parts.runtime;
    this.#parts = parts;
    this.#policy = readRetention(options, parts.adapter);
    this.#wallAheadMs = clock.wallMs() - clock.monotonicMs();
    this.#working = new OneAtATime(() => callAsBus(() => this.#work()), parts.onFailure);
  }

  /** Throws `not_supported` where the adapter cannot tell how large its log is and the policy asks for it. */
  async start(): Promise<void> {
    if (!this.#policy) return;
    const [bounds] = await this.#parts.adapter.store.bounds();
    assertMeasured(bounds, this.#policy);
    this.#lookedAt = bounds?.head ?? 0;
    this.#arm();
  }

  /** Another policy from now on. Throws what `readRetention` throws. */
  follow(options: RetentionOptions | undefined): void {
    this.#policy = readRetention(options, this.#parts.adapter);
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#policy) this.#working.poke();
  }

  /** The log has grown to here. */
  advanced(head: Position): void {
    // Not before the start, which says whether the log can be measured.
    if (!this.#policy || !this.#cancel) return;
    if (head - this.#lookedAt < Math.max(EVERY_EVENTS, this.#policy.eventsMax)) return;
    this.#lookedAt = head;
    this.#working.poke();
  }

  /** Resolves when everything that is due now, and that nobody holds, is gone. */
  async runNow(): Promise<void> {
    this.#working.poke();
    await this.#working.ended();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    await this.#working.stop();
    this.#cancel?.();
    // A store that is away by now lets it run out.
    if (this.#lease) await this.#parts.adapter.state.release([this.#lease]).catch(() => {});
  }

  #arm(): void {
    this.#cancel?.();
    if (this.#working.isStopped || !this.#policy) return;
    this.#cancel = this.#parts.runtime.timers.after(EVERY_MS, () => this.#working.poke());
  }

  async #work(): Promise<void> {
    const { timers } = this.#parts.runtime;
    try {
      while (!this.#working.isStopped && this.#policy && (await this.#step(this.#policy))) {
        await new Promise<void>((resolve) => timers.soon(resolve));
      }
    } catch (error) {
      // A full disk, a lease that was lost, an engine that closes: looked at again.
      if (!isEventManagerError(error)) throw error;
    }
    this.#arm();
  }

  /** Removes what is due of the oldest events; true when more may be. */
  async #step(policy: RetentionPolicy): Promise<boolean> {
    const { adapter, dispatch, holders, trimHere } = this.#parts;
    const bounds = (await adapter.store.bounds()).find(({ partition }) => partition === dispatch.partition);
    // Another process may have removed it.
    if (bounds) dispatch.route.forget(bounds.first - 1);
    if (!bounds || bounds.first > bounds.head) return this.#saw(bounds, undefined);
    const options = { limit: STEP_EVENTS, bytesMax: STEP_BYTES, until: bounds.head };
    const { records, scannedTo } = await adapter.store.read(dispatch.partition, bounds.first - 1, options);
    this.#saw(bounds, records[0]);
    const range = dueRange(records, bounds, policy, this.#nowMs());
    // Positions without a readable event go with those before them.
    const isWhole = range.through === (records.at(-1)?.place.position ?? bounds.first - 1);
    const through = isWhole ? scannedTo : range.through;
    if (through < bounds.first) return false;
    const forcedThrough = range.forcedThrough === range.through ? through : range.forcedThrough;
    const isLeader = await this.#mayRemove();
    // Before anybody is asked what he is owed.
    const mark = adapter.supports.shared ? await readTrimMark(adapter.state, dispatch.partition) : undefined;
    const isOutOfDate = trimHere.look();
    const again = isLeader ? await firstAppendedAgain(adapter.state, records) : undefined;
    const events = records.map((record) => new KeptEvent(record));
    const free = await holders.release({ events, through, forcedThrough, isLeader });
    this.counts.holding = free.holding;
    this.counts.removedDebts += free.removed;
    if (!isLeader || free.through < bounds.first) return false;
    const due = Math.min(free.through, (again ?? Number.POSITIVE_INFINITY) - 1);
    if (due < bounds.first) return false;
    if (mark && !(await this.#announce(mark, due))) return true;
    // Nothing is awaited from here on: whoever subscribed here a moment ago was asked.
    const removable = Math.min(due, holders.stillFree({ through: due, forcedThrough }));
    // A reset that is on its way is over with the next look.
    if (removable < bounds.first || isOutOfDate()) return false;
    trimHere.through = removable;
    await adapter.store.trim([{ partition: dispatch.partition, position: removable }]);
    holders.removed(events, removable);
    this.#countRemoved(records, removable);
    // Looked at once more: for what comes behind, and for how large the log is now.
    return true;
  }

  /** False when a subscription was reset at another process meanwhile: it may be owed what nobody was. */
  async #announce({ revision }: TrimMark, through: Position): Promise<boolean> {
    const { adapter, dispatch } = this.#parts;
    try {
      await adapter.state.commit([trimMarkChange(dispatch.partition, { through, revision }, this.#lease)]);
      return true;
    } catch (error) {
      if (isEventManagerError(error, 'revision_conflict')) return false;
      throw error;
    }
  }

  #countRemoved(records: readonly Recorded[], through: Position): void {
    for (const { place, body } of records) {
      if (place.position > through) return;
      this.counts.removedEvents++;
      this.counts.removedBytes += body.length;
    }
  }

  #saw(bounds: Bounds | undefined, oldest: Recorded | undefined): false {
    const firstAtMs = oldest?.recordedAtMs;
    this.counts.log = bounds && { ...bounds, ...(firstAtMs === undefined ? {} : { firstAtMs }) };
    return false;
  }

  /** A wall clock that jumps ahead must not make everything old at once; one that was set right is believed after a restart. */
  #nowMs(): number {
    const { clock } = this.#parts.runtime;
    return Math.min(clock.wallMs(), clock.monotonicMs() + this.#wallAheadMs);
  }

  async #mayRemove(): Promise<boolean> {
    const { adapter, owner } = this.#parts;
    const { state, supports } = adapter;
    if (!supports.shared) return true;
    if (this.#lease && (await state.renew([this.#lease], { ttlMs: LEASE_TTL_MS })).length > 0) this.#lease = undefined;
    this.#lease ??= (await state.acquire([LEASE], { owner, ttlMs: LEASE_TTL_MS }))[0];
    return this.#lease !== undefined;
  }
}

function assertMeasured(bounds: Bounds | undefined, { bytesMax, owedBytesMax, eventsMax }: RetentionPolicy): void {
  const isKnown = bounds?.bytes !== undefined && bounds.events !== undefined;
  if (isKnown || Math.min(bytesMax, owedBytesMax, eventsMax) === Number.POSITIVE_INFINITY) return;
  throw new EventManagerError('not_supported', 'The adapter cannot tell how large its log is, only how old.');
}

/**
 * Makes progress durable: one commit for all subscriptions, about every 100 ms, or at once when a claim waits for it.
 *
 *     idle ──mark──▶ timer ──100 ms or a waiting claim──▶ committing ──▶ idle, or committing again
 *
 * While one commit is under way the next forms. What a snapshot took out of a queue returns to it when the commit did not
 * happen, so a failed commit loses nothing; a lost lease takes the subscription down, and so does progress that somebody else
 * wrote (`progress-guard.ts`); a full disk is tried again, anything else ends dispatching: without durable settlements the
 * window would only fill.
 */

import type { Position } from '../contracts/event-store.ts';
import type { Revision, StateChange, StateStore } from '../contracts/state-store.ts';
import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import { mayPass } from '../errors/may-pass.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { QueueSnapshot } from './local-queue.ts';
import { isStillThere } from './progress-guard.ts';

const INTERVAL_MS = 100;
const AGAIN_AFTER_MS = 500;

export interface CheckpointOptions {
  readonly state: StateStore;
  readonly runtime: Runtime;
  readonly routedHead: () => Position;
  readonly onCommitted: (subscriptions: readonly ActiveSubscription[], changes: readonly StateChange[]) => void;
  readonly onLeaseLost: (subscription: ActiveSubscription) => void;
  /** It was removed, and maybe made again, by another process. */
  readonly onReplaced: (subscription: ActiveSubscription) => void;
  readonly onFailure: (error: unknown) => void;
}

export class Checkpoint {
  readonly #options: CheckpointOptions;
  readonly #dirty = new Set<ActiveSubscription>();
  #afterCommit: (() => void)[] = [];
  #cancelTimer: Cancel | undefined;
  #committing: Promise<void> | undefined;
  /** Told when nothing is committed any more, or not for now. */
  readonly #waiting = new Set<(error: EventManagerError) => void>();
  #urgent = false;
  #halted = false;
  /** Only ever filled by a planted bug: letters torn from their settlement. */
  #torn: StateChange[] = [];

  constructor(options: CheckpointOptions) {
    this.#options = options;
  }

  /** The subscription has something to make durable, soon. */
  mark(subscription: ActiveSubscription): void {
    // Of a subscription that ends with the process only dead letters are kept.
    if (this.#halted || !(subscription.queue.durable || subscription.queue.dirty)) return;
    this.#dirty.add(subscription);
    this.#arm(INTERVAL_MS);
  }

  /** The same, now; `then` runs when it is durable, and never if it never is. */
  commitNow(subscription: ActiveSubscription, then?: () => void): void {
    this.mark(subscription);
    if (then) this.#afterCommit.push(then);
    if (this.#urgent) return;
    this.#urgent = true;
    // A microtask later, so that all claims of one turn share the commit.
    queueMicrotask(() => this.#start());
  }

  /**
   * Resolves when what the subscription has now is durable. Throws `closed` and `lease_lost` when it will not be any more, and
   * what a store says that takes nothing for now: it is tried again, but nobody shall wait for a full disk.
   */
  async durable(subscription: ActiveSubscription): Promise<void> {
    if (!subscription.queue.durable) return;
    await new Promise<void>((resolve, reject) => {
      if (this.#halted) return reject(closedBefore());
      this.#waiting.add(reject);
      this.commitNow(subscription, () => {
        this.#waiting.delete(reject);
        resolve();
      });
    });
    if (subscription.isServing) return;
    throw new EventManagerError('lease_lost', 'Another process serves the subscription by now.');
  }

  /** Commits a subscription for the last time: its reservation ends too. Throws what the store throws. */
  async close(subscription: ActiveSubscription): Promise<void> {
    while (this.#committing) await this.#committing;
    this.#dirty.delete(subscription);
    if (this.#halted || !(subscription.queue.durable || subscription.queue.dirty)) return;
    try {
      await this.#commit([subscription], [], true);
    } catch (error) {
      if (isEventManagerError(error, 'revision_conflict')) {
        if (await this.#isOurs(subscription)) await this.close(subscription);
        return;
      }
      // Whoever holds the lease now counts the window that we could not close.
      if (!isEventManagerError(error, 'lease_lost')) throw error;
    }
  }

  halt(): void {
    this.#halted = true;
    this.#cancelTimer?.();
    this.#dirty.clear();
    this.#afterCommit = [];
    this.#refuseWaiting(closedBefore());
  }

  #refuseWaiting(error: EventManagerError): void {
    for (const refuse of this.#waiting) refuse(error);
    this.#waiting.clear();
  }

  #arm(delayMs: number): void {
    this.#cancelTimer ??= this.#options.runtime.timers.after(delayMs, () => this.#start());
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#committing || this.#halted) return;
    this.#urgent = false;
    const subscriptions = [...this.#dirty];
    const then = this.#afterCommit;
    this.#dirty.clear();
    this.#afterCommit = [];
    if (subscriptions.length === 0) {
      // Whose commit they waited for was lost meanwhile: they look at that themselves.
      for (const run of then) run();
      return;
    }
    this.#committing = this.#commit(subscriptions, then, false)
      .catch((error: unknown) => this.#recoverFrom(error, subscriptions, then))
      .finally(() => {
        this.#committing = undefined;
        if (this.#urgent) this.#start();
        else if (this.#dirty.size > 0) this.#arm(INTERVAL_MS);
      });
  }

  async #commit(
    subscriptions: readonly ActiveSubscription[],
    then: readonly (() => void)[],
    closing: boolean,
  ): Promise<void> {
    if (subscriptions.length === 0) return;
    const { state, runtime, routedHead, onCommitted } = this.#options;
    const changes: StateChange[] = [];
    const snapshots: QueueSnapshot[] = [];
    for (const subscription of subscriptions) {
      const head = Math.min(routedHead(), subscription.replay?.until ?? Number.POSITIVE_INFINITY);
      const snapshot = subscription.queue.snapshot(head, closing);
      snapshots.push(snapshot);
      const [first, ...rest] = snapshot.changes;
      if (!first) continue;
      const { lease, progress } = runtime.planted.has('no-fencing') ? NOT_FENCED : subscription;
      const condition = progress ? { ifRevision: progress.revision } : {};
      changes.push(lease ? { ...first, lease, ...condition } : first, ...rest);
    }
    runtime.failpoint('checkpoint.before-commit');
    let revision: Revision = 0;
    try {
      if (changes.length > 0) revision = await state.commit(this.#tear(changes, closing));
    } catch (error) {
      subscriptions.forEach((subscription, at) => {
        notCommitted(subscription, snapshots[at]!, error);
      });
      throw error;
    }
    runtime.failpoint('checkpoint.after-commit');
    subscriptions.forEach((subscription, at) => {
      subscription.queue.committed(snapshots[at]!);
      if (snapshots[at]!.changes.length > 0) subscription.progress?.committed(revision);
    });
    for (const run of then) run();
    onCommitted(subscriptions, changes);
  }

  async #recoverFrom(
    error: unknown,
    subscriptions: readonly ActiveSubscription[],
    then: readonly (() => void)[],
  ): Promise<void> {
    if (!isEventManagerError(error, 'revision_conflict')) return this.#recover(error, subscriptions, then);
    const found = subscriptions.find(({ queue }) => queue.progressKey === error.details['key']);
    if (!found) return this.#recover(error, subscriptions, then);
    try {
      const isOurs = await this.#isOurs(found);
      for (const subscription of subscriptions) if (subscription !== found || isOurs) this.#dirty.add(subscription);
    } catch (failure) {
      return this.#recover(failure, subscriptions, then);
    }
    this.#afterCommit.unshift(...then);
    this.#urgent = true;
  }

  /** Somebody wrote its progress. False when that was another process: then this one has taken it out of service. */
  async #isOurs(subscription: ActiveSubscription): Promise<boolean> {
    const { state, onReplaced } = this.#options;
    const [found] = await state.get('progress', [subscription.queue.progressKey]);
    if (subscription.progress?.takes(found) && (await isStillThere(state, subscription.definition))) return true;
    onReplaced(subscription);
    return false;
  }

  #recover(error: unknown, subscriptions: readonly ActiveSubscription[], then: readonly (() => void)[]): void {
    if (isEventManagerError(error, 'lease_lost')) {
      const lost = new Set(error.details['resources'] as string[]);
      for (const subscription of subscriptions) {
        if (subscription.lease && lost.has(subscription.lease.resource)) this.#options.onLeaseLost(subscription);
        else this.#dirty.add(subscription);
      }
      this.#afterCommit.unshift(...then);
      this.#urgent = true;
    } else if (mayPass(error)) {
      for (const subscription of subscriptions) this.#dirty.add(subscription);
      this.#afterCommit.unshift(...then);
      this.#refuseWaiting(error);
      this.#urgent = false;
      this.#arm(error.details.retryAfterMs ?? AGAIN_AFTER_MS);
    } else {
      this.halt();
      this.#options.onFailure(error);
    }
  }

  /** Planted bug: commits dead letters one commit later than the settlement they belong to. */
  #tear(changes: readonly StateChange[], closing: boolean): readonly StateChange[] {
    if (!this.#options.runtime.planted.has('dead-letter-not-atomic') || closing) return changes;
    const late = this.#torn;
    this.#torn = changes.filter((change) => change.kind === 'dead-letter');
    return [...changes.filter((change) => change.kind !== 'dead-letter'), ...late];
  }
}

/** Planted bug: what is committed is under no condition. */
const NOT_FENCED = { lease: undefined, progress: undefined };

function notCommitted({ queue, progress }: ActiveSubscription, snapshot: QueueSnapshot, error: unknown): void {
  queue.notCommitted(snapshot);
  const [first] = snapshot.changes;
  // What was refused for a condition was not written.
  const isRefused = isEventManagerError(error, 'revision_conflict') || isEventManagerError(error, 'lease_lost');
  if (progress && first?.value !== undefined && !isRefused) progress.notCommitted(first.value);
}

function closedBefore(): EventManagerError {
  return new EventManagerError('closed', 'The event manager ended before this was durable.');
}

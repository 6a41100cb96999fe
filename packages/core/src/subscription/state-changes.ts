/**
 * In which state a subscription is, and who may change it.
 *
 *     active ◀──resume── paused         active ──gone, disabled──▶ stopped
 *       └────────pause─────▶▲           paused ──gone, disabled──▶ stopped ──resume──▶ active
 *
 * `paused` is the subscriber's doing, `stopped` the receiver's or the bus's. Both deliver nothing; what is owed waits.
 *
 * Where processes share a store, somebody may pause in one and resume in another before these have heard of each other: each
 * change is made to what the store has. One that was made to another definition than is served here takes effect at once,
 * and the rest of that definition with it a moment later.
 *
 * What the receiver stops is known here before it is durable, and the same to everybody who asks here. A store that refuses it
 * is asked again; a process that dies meanwhile leaves an active subscription, whose receiver says once more what it said.
 */
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { forgive } from '../dispatch/failure/forgive.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Catalog, changedAtMs } from './catalog.ts';
import type { Duty } from './duty.ts';
import type { StoppedReason, SubscriptionDefinition } from './subscription.ts';

const STOP_AGAIN_MS = 1_000;

export interface StateChangesOptions {
  readonly catalog: Catalog;
  readonly duty: Duty;
  readonly dispatch: PartitionDispatch;
  readonly runtime: Runtime;
  /** A failure that no caller is there to hear of. */
  readonly onFailure: (error: unknown) => void;
}

export class StateChanges {
  readonly #options: StateChangesOptions;

  constructor(options: StateChangesOptions) {
    this.#options = options;
  }

  /** Throws `subscription_not_found`. */
  set(id: string, state: 'active' | 'paused'): Promise<SubscriptionDefinition> {
    const { catalog, duty } = this.#options;
    return duty.exclusive(id, () => catalog.upToDate(id, () => this.#set(id, state)));
  }

  /** The receiver said that it is gone for good, or failed for too long: nothing is delivered until somebody resumes. */
  stop(subscription: ActiveSubscription, stoppedReason: StoppedReason): void {
    const { catalog } = this.#options;
    const { definition } = subscription;
    subscription.definition = { ...definition, state: 'stopped', stoppedReason };
    const known = catalog.get(subscription.id);
    if (known && isSameReceiver(known, definition)) catalog.foresee({ ...known, state: 'stopped', stoppedReason });
    this.#writeStop(definition, stoppedReason);
  }

  async #set(id: string, state: 'active' | 'paused'): Promise<SubscriptionDefinition> {
    const { catalog, duty, dispatch, runtime } = this.#options;
    const known = catalog.known(id);
    const { stoppedReason: _reason, ...before } = known;
    const definition = { ...before, state, updatedAtMs: changedAtMs(known, runtime.clock) };
    await catalog.update(definition);
    const active = dispatch.active.get(id);
    if (!active) return definition;
    const { stoppedReason: _served, ...served } = active.definition;
    const isCurrent = served.updatedAtMs === known.updatedAtMs;
    active.definition = isCurrent ? definition : { ...served, state };
    if (state === 'paused') dispatch.serving.releasePublishers(active);
    else forgive(active, dispatch.dispatcher, runtime.clock);
    dispatch.dispatcher.wake(active);
    if (!isCurrent) duty.follow(id);
    return definition;
  }

  #writeStop(definition: SubscriptionDefinition, stoppedReason: StoppedReason): void {
    const { catalog, duty, runtime, onFailure } = this.#options;
    const { id } = definition;
    duty
      .exclusive(id, () => catalog.upToDate(id, () => this.#stop(definition, stoppedReason)))
      .catch((error: unknown) => {
        if (!isEventManagerError(error)) onFailure(error);
        else if (error.retryable) {
          runtime.timers.after(STOP_AGAIN_MS, () => {
            // Whoever resumed it meanwhile knew that it was stopped.
            if (catalog.get(id)?.stoppedReason === stoppedReason) this.#writeStop(definition, stoppedReason);
          });
        }
      });
  }

  /** A receiver that took the place of the one that is gone has nothing to do with it. */
  async #stop(definition: SubscriptionDefinition, stoppedReason: StoppedReason): Promise<void> {
    const { catalog, dispatch } = this.#options;
    const known = catalog.get(definition.id);
    if (!known || !isSameReceiver(known, definition)) return;
    const stopped = { ...known, state: 'stopped' as const, stoppedReason };
    await catalog.update(stopped);
    const active = dispatch.active.get(definition.id);
    if (active?.definition.updatedAtMs === stopped.updatedAtMs) active.definition = stopped;
  }
}

function isSameReceiver(a: SubscriptionDefinition, b: SubscriptionDefinition): boolean {
  return JSON.stringify(a.sink) === JSON.stringify(b.sink);
}

/**
 * In which state a subscription is, and who may change it.
 *
 *     active ◀──resume── paused         active ──gone, disabled──▶ stopped
 *       └────────pause─────▶▲           paused ──gone, disabled──▶ stopped ──resume──▶ active
 *
 * `paused` is the subscriber's doing, `stopped` the receiver's or the bus's. Both deliver nothing; what is owed waits.
 */
import type { ActiveSubscription } from '../dispatch/active-subscription.ts';
import { forgive } from '../dispatch/failure/receiver.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Catalog } from './catalog.ts';
import type { Duty } from './duty.ts';
import type { StoppedReason, SubscriptionDefinition } from './subscription.ts';

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
    const { catalog, duty, dispatch, runtime } = this.#options;
    return duty.exclusive(id, async () => {
      const { stoppedReason: _reason, ...before } = catalog.known(id);
      const definition = { ...before, state, updatedAtMs: runtime.clock.wallMs() };
      await catalog.update(definition);
      const active = dispatch.active.get(id);
      if (active) {
        active.definition = definition;
        if (state === 'paused') dispatch.serving.releasePublishers(active);
        else forgive(active);
        dispatch.dispatcher.wake(active);
      }
      return definition;
    });
  }

  /** The receiver said that it is gone for good, or failed for too long: nothing is delivered until somebody resumes. */
  stop(subscription: ActiveSubscription, stoppedReason: StoppedReason): void {
    const { duty, onFailure } = this.#options;
    const { id, definition } = subscription;
    subscription.definition = { ...definition, state: 'stopped', stoppedReason };
    duty
      .exclusive(id, () => this.#stop(definition, stoppedReason))
      .catch((error: unknown) => {
        // A failed write only means that the receiver is asked once more after a restart, and says it again.
        if (!isEventManagerError(error)) onFailure(error);
      });
  }

  /** A receiver that took the place of the one that is gone has nothing to do with it. */
  async #stop({ id, sink }: SubscriptionDefinition, stoppedReason: StoppedReason): Promise<void> {
    const { catalog, dispatch } = this.#options;
    const known = catalog.get(id);
    if (!known || JSON.stringify(known.sink) !== JSON.stringify(sink)) return;
    const stopped = { ...known, state: 'stopped' as const, stoppedReason };
    await catalog.update(stopped);
    const active = dispatch.active.get(id);
    if (active) active.definition = stopped;
  }
}

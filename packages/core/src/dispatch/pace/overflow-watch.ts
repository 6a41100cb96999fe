import type { ActiveSubscription } from '../active-subscription.ts';

export type OverflowChange = 'overflowed' | 'caught-up';

/**
 * Notices subscriptions whose lanes were full since the last look, so that new events wait in the log for them, and that have
 * all of them in memory again. A lane counts by itself how often it was full: nobody looks for it while events are offered.
 */
export class OverflowWatch {
  readonly #active: ReadonlyMap<string, ActiveSubscription>;
  readonly #told = new Map<ActiveSubscription, { overflows: number; isBehind: boolean }>();

  constructor(active: ReadonlyMap<string, ActiveSubscription>) {
    this.#active = active;
  }

  look(onChanged: (subscription: ActiveSubscription, change: OverflowChange) => void): void {
    for (const subscription of this.#told.keys()) {
      if (this.#active.get(subscription.id) !== subscription) this.#told.delete(subscription);
    }
    for (const subscription of this.#active.values()) {
      const overflows = overflowsOf(subscription);
      if (overflows === 0) continue;
      const told = this.#told.get(subscription) ?? { overflows: 0, isBehind: false };
      this.#told.set(subscription, told);
      const isNew = overflows > told.overflows;
      told.overflows = overflows;
      if (isNew) onChanged(subscription, 'overflowed');
      const isBehind = isReadingBack(subscription);
      if (!isBehind && (isNew || told.isBehind)) onChanged(subscription, 'caught-up');
      told.isBehind = isBehind;
    }
  }
}

/** How often lanes of it were full. */
export function overflowsOf({ queue }: ActiveSubscription): number {
  let overflows = 0;
  for (const lane of queue.lanes) overflows += lane.overflows;
  return overflows;
}

/** New events wait in the log for it. */
export function isReadingBack({ queue }: ActiveSubscription): boolean {
  return queue.lanes.some((lane) => lane.state !== 'live');
}

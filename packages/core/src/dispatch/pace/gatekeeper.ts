import type { ActiveSubscription } from '../active-subscription.ts';
import type { Bodies } from '../bodies.ts';
import { releasePublishers } from '../release-publishers.ts';
import type { Timetable, TimetableEntry } from '../timetable.ts';

/** Asks the gates of subscriptions, and comes back to a closed one at the time that it says. */
export class Gatekeeper {
  readonly #timetable: Timetable;
  readonly #wake: (subscription: ActiveSubscription) => void;
  readonly #bodies: Bodies;

  constructor(timetable: Timetable, wake: (subscription: ActiveSubscription) => void, bodies: Bodies) {
    this.#timetable = timetable;
    this.#wake = wake;
    this.#bodies = bodies;
  }

  /** How many deliveries may be claimed: the narrowest gate decides. */
  room(subscription: ActiveSubscription, nowMs: number): number {
    let room = Number.POSITIVE_INFINITY;
    for (const gate of subscription.gates) {
      const here = gate.room(nowMs);
      if (here <= 0) {
        this.#askAgain(subscription, gate.opensAtMs);
        // Else a publisher that waits for its handlers would wait for the gate.
        if (!subscription.isHeld) releasePublishers(subscription, this.#bodies);
        subscription.isHeld = true;
        return 0;
      }
      if (here < room) room = here;
    }
    subscription.isHeld = false;
    // Claimed already, and not counted by any gate before they begin.
    return room === Number.POSITIVE_INFINITY ? room : room - startingOf(subscription);
  }

  /** Nobody serves the subscription any more. */
  forget(subscription: ActiveSubscription): void {
    if (subscription.gateEntry) this.#timetable.remove(subscription.gateEntry);
    subscription.gateEntry = undefined;
  }

  #askAgain(subscription: ActiveSubscription, atMs: number): void {
    const armed = subscription.gateEntry;
    // Coming too early only asks once more.
    if (atMs === Number.POSITIVE_INFINITY || (armed && armed.dueAtMs <= atMs)) return;
    this.forget(subscription);
    const entry: TimetableEntry = {
      dueAtMs: atMs,
      due: () => {
        subscription.gateEntry = undefined;
        this.#wake(subscription);
      },
    };
    subscription.gateEntry = entry;
    this.#timetable.add(entry);
  }
}

/** Deliveries of retries that wait for their attempt number to be durable. */
function startingOf(subscription: ActiveSubscription): number {
  let starting = 0;
  for (const attempt of subscription.starting) starting += attempt.batch.length;
  return starting;
}

import type { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';

/**
 * Whoever waits for the first attempt of an event that will not be made for now need not wait any longer: its subscription is
 * paused, taken down, or held back by a gate.
 */
export function releasePublishers({ queue, replay }: ActiveSubscription, bodies: Bodies): void {
  if (replay) return;
  for (const lane of queue.lanes) {
    for (const position of lane.waitingPositions()) bodies.get(position)?.firstAttemptEnded();
  }
}

import { namedSubscriptionId, parseEventId } from '@event-manager/core';

/** The id of a subscription that was given by its id or by its name, which people remember; what looks like an id is one. */
export function subscriptionIdOf(idOrName: string): string {
  return parseEventId(idOrName) ?? namedSubscriptionId(idOrName);
}

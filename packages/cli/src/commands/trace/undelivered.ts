import type { EventManagerClient } from '@event-manager/client';
import type { EventDelivery, GraphEvent } from '@event-manager/core';

/** Asked for at once: the service judges every subscription anew for each. */
const AT_ONCE = 8;

/** Deliveries of each event that are owed still or were given up, by the id of the event. */
export async function undelivered(
  client: Pick<EventManagerClient, 'listDeliveries'>,
  events: readonly Pick<GraphEvent, 'id'>[],
): Promise<ReadonlyMap<string, readonly EventDelivery[]>> {
  const found = new Map<string, readonly EventDelivery[]>();
  for (let at = 0; at < events.length; at += AT_ONCE) {
    await Promise.all(
      events.slice(at, at + AT_ONCE).map(async ({ id }) => {
        const { deliveries } = await client.listDeliveries(id);
        const open = deliveries.filter(({ status }) => status === 'owed' || status === 'given-up');
        if (open.length > 0) found.set(id, open);
      }),
    );
  }
  return found;
}

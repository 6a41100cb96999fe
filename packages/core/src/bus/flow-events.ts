import type { Event } from '../event/event.ts';
import type { EventManager } from '../event-manager.ts';

const PAGE = 1_000;

/** Every event of a flow, oldest first, however many pages that are. */
export async function flowEvents(eventManager: EventManager, correlationId: string): Promise<readonly Event[]> {
  const found: Event[] = [];
  let cursor: string | undefined;
  do {
    const request = cursor === undefined ? { limit: PAGE } : { limit: PAGE, cursor };
    const page = await eventManager.getEvents({ correlationId }, request);
    found.push(...page);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

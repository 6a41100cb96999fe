import { type EventDeliveries, EventManagerError, type Principal, parseEventId } from '@event-manager/core';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 100;

export interface DeliveriesFound extends EventDeliveries {
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface ListDeliveriesInput {
  readonly eventId: string;
  readonly all?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** What became of an event at each subscription, a page at a time. Throws `event_not_found`, `invalid_query`, `invalid_cursor`. */
export async function listDeliveries(
  { engine }: OperationContext,
  principal: Principal,
  { eventId, all, limit = LIMIT_DEFAULT, cursor }: ListDeliveriesInput,
): Promise<DeliveriesFound> {
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} deliveries.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? undefined : subscriptionOfCursor(cursor);
  const { next, ...page } = await engine.explanations.deliveriesPage(principal, eventId, { all, after, limit });
  return next === undefined ? page : { ...page, nextCursor: Buffer.from(next).toString('base64url') };
}

/** A page ends with the id of a subscription. */
function subscriptionOfCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString();
  if (parseEventId(id) === id && Buffer.from(id).toString('base64url') === cursor) return id;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}

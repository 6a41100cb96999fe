import { EventManagerError, type Principal, type SubscriptionDefinition } from '@event-manager/core';
import { describeSubscription, type SubscriptionDescription } from './describe-subscription.ts';
import type { OperationContext } from './operation-context.ts';

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;

export interface SubscriptionsFound {
  readonly subscriptions: readonly SubscriptionDescription[];
  /** Absent on the last page. */
  readonly nextCursor?: string;
}

export interface ListSubscriptionsInput {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** Only those that have exactly these. */
  readonly name?: string | undefined;
  readonly subscriber?: string | undefined;
  readonly state?: SubscriptionDefinition['state'] | undefined;
}

/** A page of the subscriptions in the order of their creation. Throws `invalid_query`, `invalid_cursor`. */
export function listSubscriptions(
  context: OperationContext,
  principal: Principal,
  input: ListSubscriptionsInput,
): SubscriptionsFound {
  const { limit = LIMIT_DEFAULT, cursor } = input;
  if (limit < 1 || limit > LIMIT_MAX) {
    const words = `A page has 1 to ${LIMIT_MAX} subscriptions.`;
    throw new EventManagerError('invalid_query', words, { pointer: '/limit', maximum: LIMIT_MAX });
  }
  const after = cursor === undefined ? '' : readCursor(cursor);
  const { subscriptions } = context.engine;
  const wanted = subscriptions.list(principal).filter((definition) => isWanted(definition, input));
  const keyed = wanted.map((definition) => ({ definition, key: keyOf(definition) }));
  const rest = keyed.filter(({ key }) => key > after).sort((a, b) => (a.key < b.key ? -1 : 1));
  const found = rest.slice(0, limit);
  const described = found.map(({ definition }) =>
    describeSubscription(definition, subscriptions.status(principal, definition.id)),
  );
  if (rest.length <= limit) return { subscriptions: described };
  return { subscriptions: described, nextCursor: Buffer.from(found.at(-1)!.key).toString('base64url') };
}

function isWanted(
  definition: SubscriptionDefinition,
  { name, subscriber, state }: Pick<ListSubscriptionsInput, 'name' | 'subscriber' | 'state'>,
): boolean {
  return (
    (name === undefined || definition.name === name) &&
    (subscriber === undefined || definition.subscriber === subscriber) &&
    (state === undefined || definition.state === state)
  );
}

/** Sorts as the creation does; the id decides between those of one millisecond, so that a page can end between them. */
function keyOf({ createdAtMs, id }: SubscriptionDefinition): string {
  return `${String(createdAtMs).padStart(16, '0')}/${id}`;
}

function readCursor(cursor: string): string {
  const key = cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString('latin1');
  if (/^\d{16}\/[0-9a-f-]{36}$/.test(key)) return key;
  throw new EventManagerError('invalid_cursor', 'The cursor was not made by this product or was cut.', {
    pointer: '/cursor',
  });
}

import type { StateStore } from '../../contracts/state-store.ts';
import { EventManagerError } from '../../errors/event-manager-error.ts';
import type { AskedSubscription } from './letter-request.ts';

/**
 * Throws `subscription_not_found` for what is neither a subscription nor one that left dead letters behind: a name that was
 * mistyped would otherwise look like one that has none.
 */
export async function assertKnown(
  state: StateStore,
  asked: readonly AskedSubscription[],
  knows: (subscriptionId: string) => boolean,
): Promise<void> {
  for (const { id, given, pointer } of asked) {
    if (knows(id)) continue;
    // Another process may have made it a moment ago.
    const [definition] = await state.get('subscription', [id]);
    if (definition) continue;
    const { entries } = await state.load('dead-letter', { prefix: `${id}/`, limit: 1 });
    if (entries.length > 0) continue;
    const words = 'No subscription has this id or name, and no dead letter is left of one.';
    throw new EventManagerError('subscription_not_found', words, { id: given, pointer });
  }
}

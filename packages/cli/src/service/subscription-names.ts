import type { EventManagerClient } from '@event-manager/client';
import type { Output } from '../output/output.ts';

/** How a table calls a subscription. */
export type NameOf = (subscriptionId: string) => string;

/**
 * People know subscriptions by their names, and a table with ids alone is wider than most terminals. Those without a name, and
 * those that are gone, keep their ids; so does everything for programs.
 */
export async function subscriptionNames(
  client: Pick<EventManagerClient, 'listSubscriptions'>,
  { json }: Pick<Output, 'json'>,
  ids: readonly string[],
): Promise<NameOf> {
  if (json || ids.length === 0) return (id) => id;
  const names = new Map((await client.listSubscriptions()).map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}

import type { LetterGroup } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import { type NameOf, subscriptionNames } from '../../service/subscription-names.ts';
import type { GroupsFlags } from './route.ts';

export async function groupDeadLetters(this: CliContext, flags: GroupsFlags): Promise<void> {
  await using client = await connect(this, flags);
  const { groups, complete } = await client.groupDeadLetters({ subscriptionId: flags.subscription });
  const output = new Output(this, flags);
  if (output.json) for (const group of groups) await output.result(group, () => []);
  else {
    const nameOf = await subscriptionNames(client, output, subscriptionsOf(groups));
    await output.result(undefined, () => groupTable(groups, nameOf));
  }
  if (groups.length === 0) output.note('no open dead letters');
  if (!complete) output.warning('there are more than were looked at');
}

export function subscriptionsOf(groups: readonly LetterGroup[]): readonly string[] {
  return groups.map(({ subscriptionId }) => subscriptionId);
}

export function groupTable(groups: readonly LetterGroup[], nameOf: NameOf): string[] {
  const rows = groups.map(({ fingerprint, count, latestAtMs, subscriptionId, code, words }) => {
    return [fingerprint, String(count), new Date(latestAtMs).toISOString(), nameOf(subscriptionId), code, words];
  });
  return [...textTable(['GROUP', 'COUNT', 'LATEST', 'SUBSCRIPTION', 'ERROR', 'WORDS'], rows)];
}

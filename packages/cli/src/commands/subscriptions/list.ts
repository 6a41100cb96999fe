import type { SubscriptionDefinition, SubscriptionSink } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';

export async function listSubscriptions(this: CliContext, flags: ServiceFlags): Promise<void> {
  await using client = await connect(this, flags);
  const subscriptions = await client.listSubscriptions();
  const output = new Output(this, flags);
  await output.result(subscriptions, () =>
    textTable(
      ['ID', 'NAME', 'STATE', 'TOPIC', 'GOES TO'],
      subscriptions.map((subscription) => {
        const { id, name = '', topic, sink } = subscription;
        return [id, name, stateOf(subscription), topic, whereTo(sink)];
      }),
    ),
  );
  if (subscriptions.length === 0) output.note('no subscriptions');
}

/** Why it is stopped is what whoever looks wants to know next. */
function stateOf({ state, stoppedReason }: SubscriptionDefinition): string {
  return stoppedReason === undefined ? state : `${state}: ${stoppedReason.code}`;
}

function whereTo(sink: SubscriptionSink): string {
  const first = 'endpoint' in sink ? sink.endpoint : sink.kind;
  return 'fallback' in sink && sink.fallback ? `${first}, else ${sink.fallback.endpoint}` : first;
}

import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import type { DeliveriesFlags } from './route.ts';

export async function listDeliveries(this: CliContext, flags: DeliveriesFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const found = await client.listDeliveries(id, { all: flags.all === true });
  const output = new Output(this, flags);
  const rows = found.deliveries.map(({ subscriptionId, name, status, reason, words }) => [
    name ?? subscriptionId,
    status,
    reason,
    words,
  ]);
  await output.result(found, () => textTable(['SUBSCRIPTION', 'STATUS', 'REASON', 'WHY'], rows));
  if (found.notMatching > 0 && flags.all !== true) {
    const others =
      found.notMatching === 1 ? 'pattern of another one does' : `patterns of ${found.notMatching} others do`;
    output.note(`the ${others} not match its topic; --all lists such, too`);
  }
  if (found.deliveries.length === 0) output.note('no subscription is concerned');
}

import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';

export async function listScheduled(this: CliContext, flags: ServiceFlags): Promise<void> {
  await using client = await connect(this, flags);
  const all = await client.listScheduled();
  const output = new Output(this, flags);
  if (output.json) {
    for (const scheduled of all) await output.result(scheduled, () => []);
    return;
  }
  const rows = all.map(({ id, scheduledFor, priority, type, topic }) => [id, scheduledFor, priority, type, topic]);
  await output.result(undefined, () => textTable(['ID', 'SCHEDULED FOR', 'PRIORITY', 'TYPE', 'TOPIC'], rows));
  if (all.length === 0) output.note('nothing is scheduled');
}

export async function cancelScheduled(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const cancelled = await client.cancelScheduled(id);
  const words = cancelled ? `${id} is cancelled` : `${id} is published already`;
  await new Output(this, flags).result({ id, cancelled }, () => [words]);
  if (!cancelled) this.end('failed');
}

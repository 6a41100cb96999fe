import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';

export async function getEvent(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const event = await client.getEvent(id);
  await new Output(this, flags).whole(event);
}

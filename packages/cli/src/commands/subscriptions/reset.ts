import type { CliContext } from '../../cli-context.ts';
import { readPlace } from '../../input/read-place.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { ResetFlags } from './reset-route.ts';

export async function resetSubscription(this: CliContext, flags: ResetFlags, id: string): Promise<void> {
  const { to, note } = flags;
  const place = readPlace('to', to, this.surroundings.runtime.clock.wallMs());
  await using client = await connect(this, flags);
  const reset = await client.resetSubscription(id, { to: place, ...(note === undefined ? {} : { note }) });
  await new Output(this, flags).result(reset, () => [
    `${id} goes on behind ${reset.to}; it was at ${reset.from}`,
    ...(reset.dropped === 0 ? [] : [`${reset.dropped} deliveries that waited for a retry are not owed any more`]),
  ]);
}

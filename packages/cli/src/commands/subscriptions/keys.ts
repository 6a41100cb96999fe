import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';

export async function listKeys(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const keys = await client.listKeys(id);
  const output = new Output(this, flags);
  await output.result(keys, () =>
    textTable(
      ['KEY', 'STATE', 'WAITING', 'SINCE', 'DEAD LETTER'],
      keys.map(({ key, state, waiting, parkedAtMs, deadLetterId = '' }) => {
        const since = parkedAtMs === undefined ? '' : new Date(parkedAtMs).toISOString();
        return [key, state, String(waiting), since, deadLetterId];
      }),
    ),
  );
  if (keys.length === 0) output.note('no key waits');
}

export async function releaseKey(this: CliContext, flags: ServiceFlags, id: string, key: string): Promise<void> {
  await using client = await connect(this, flags);
  const released = await client.releaseKey(id, key);
  const words = released.state === 'parked' ? `released ${key}: ${released.waiting} go on` : `${key} is not parked`;
  await new Output(this, flags).result(released, () => [words]);
}

import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import type { KeysFlags, ReleaseFlags } from './route.ts';

export async function listKeys(this: CliContext, flags: KeysFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const keys = await client.listKeys(id, { state: flags.state });
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
  if (keys.length === 0) output.note(`no key ${flags.state === undefined ? 'waits' : `is ${flags.state}`}`);
}

export async function releaseKey(this: CliContext, flags: ReleaseFlags, id: string, key?: string): Promise<void> {
  if ((key === undefined) === (flags.all === undefined)) {
    throw new CommandFailure('wrongUse', 'either a key or --all is needed; see --help');
  }
  await using client = await connect(this, flags);
  const output = new Output(this, flags);
  if (key === undefined) {
    const all = await client.releaseKeys(id);
    await output.result(all, () => [`released ${all.released} keys: ${all.waiting} events go on`]);
    return;
  }
  const released = await client.releaseKey(id, key);
  const words = released.state === 'parked' ? `released ${key}: ${released.waiting} go on` : `${key} is not parked`;
  await output.result(released, () => [words]);
}

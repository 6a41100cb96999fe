import { type SettledSetting, settleConfiguration } from '@event-manager/server/configuration';
import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { settingArguments } from '../serve/setting-arguments.ts';
import type { PrintFlags } from './route.ts';

/** What is printed ends in terminals, tickets and logs of a build, so secrets stand there only when that was asked for. */
const HIDDEN = '***';

export async function printConfiguration(this: CliContext, flags: PrintFlags): Promise<void> {
  const { environment, homeDirectory } = this.surroundings;
  const { settings } = settleConfiguration({ args: settingArguments(flags), environment, homeDirectory });
  const isShown = ({ row, kind }: SettledSetting) => flags.all || row.use !== 'none' || kind !== 'default';
  const shown = [...settings.values()].filter(isShown).map((setting) => describe(setting, flags.showSecrets === true));
  const output = new Output(this, flags);
  const value = Object.fromEntries(shown.map(({ name, ...rest }) => [name, rest]));
  await output.result(value, () =>
    textTable(
      ['SETTING', 'VALUE', 'SOURCE', 'BEATS'],
      shown.map(({ name, value, source, from, beats, used }) => {
        const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
        const unused = used ? '' : ' (not used by this version)';
        return [name, `${text}${unused}`, from === '' ? source : from, beats.map((beaten) => beaten.from).join(', ')];
      }),
    ),
  );
}

interface Described {
  readonly name: string;
  readonly value: unknown;
  readonly source: string;
  readonly from: string;
  readonly beats: readonly { readonly from: string; readonly value: unknown }[];
  readonly used: boolean;
}

function describe({ row, value, kind, from, beaten }: SettledSetting, areSecretsShown: boolean): Described {
  const hidden = (given: unknown) => (row.secret && !areSecretsShown && given !== undefined ? HIDDEN : given);
  return {
    name: row.name,
    value: hidden(value),
    source: kind,
    from,
    beats: beaten.map((given) => ({ from: given.from, value: hidden(given.value) })),
    used: row.use !== 'none',
  };
}

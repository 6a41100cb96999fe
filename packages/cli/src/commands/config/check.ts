import { settleConfiguration } from '@event-manager/server/configuration';
import type { CliContext } from '../../cli-context.ts';
import { Output } from '../../output/output.ts';
import { settingArguments } from '../serve/setting-arguments.ts';
import type { ConfigFlags } from './route.ts';

export async function checkConfiguration(this: CliContext, flags: ConfigFlags): Promise<void> {
  const { environment, homeDirectory } = this.surroundings;
  const { warnings } = settleConfiguration({ args: settingArguments(flags), environment, homeDirectory });
  const output = new Output(this, flags);
  await output.result({ valid: true, warnings }, () => [
    ...warnings.map((warning) => `warning: ${warning}`),
    'The service would start with these settings.',
  ]);
}

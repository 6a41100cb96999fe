import { findMistakes } from '@event-manager/server/configuration';
import type { CliContext } from '../../cli-context.ts';
import { failureJson, failureWords } from '../../output/failure-words.ts';
import { Output } from '../../output/output.ts';
import { settingArguments } from '../serve/setting-arguments.ts';
import type { ConfigFlags } from './route.ts';

/** Tells all that is wrong: a file that is corrected one mistake after the other is rolled out as many times. */
export async function checkConfiguration(this: CliContext, flags: ConfigFlags): Promise<void> {
  const { environment, homeDirectory } = this.surroundings;
  const { mistakes, warnings } = findMistakes({ args: settingArguments(flags), environment, homeDirectory });
  const output = new Output(this, flags);
  const last = mistakes.at(-1);
  if (last !== undefined) {
    for (const warning of warnings) output.note(`warning: ${warning}`);
    const words = output.json ? failureJson : failureWords;
    for (const mistake of mistakes.slice(0, -1)) this.process.stderr.write(`${words(mistake)}\n`);
    throw last;
  }
  await output.result({ valid: true, warnings }, () => [
    ...warnings.map((warning) => `warning: ${warning}`),
    'The service would start with these settings.',
  ]);
}

import { parseArgs } from 'node:util';
import { EventManagerError } from '@event-manager/core';
import type { Given, GivenSettings, NoteMistake } from './given-settings.ts';
import { SETTINGS } from './settings.ts';

/** Reads the command line. Notes `invalid_setting` for what is not an option of ours. */
export function readArguments(args: readonly string[], note: NoteMistake): GivenSettings {
  const flags = new Map<string, string>();
  for (const [name, row] of Object.entries(SETTINGS)) if ('flag' in row && row.flag) flags.set(row.flag, name);
  const options = Object.fromEntries([...flags.keys()].map((flag) => [flag, { type: 'string' as const }]));
  const given = new Map<string, readonly Given[]>();
  for (const [flag, value] of Object.entries(parse(args, options, note))) {
    given.set(flags.get(flag)!, [{ value, from: `--${flag}`, kind: 'command line' }]);
  }
  return given;
}

function parse(
  args: readonly string[],
  options: Record<string, { type: 'string' }>,
  note: NoteMistake,
): Record<string, unknown> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const known = Object.keys(options).map((flag) => `--${flag}`);
    // The first sentence of Node's error names the argument; the rest is advice about its own parser.
    const fault = cause instanceof TypeError ? cause.message.split(/\. |\n/)[0] : 'cannot be read';
    const words = `The command line is wrong: ${fault}. Known are ${known.join(', ')}; --help says more.`;
    note(new EventManagerError('invalid_setting', words, { from: 'command line' }, cause));
    return {};
  }
}

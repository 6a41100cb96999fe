#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { isEventManagerError } from '@event-manager/core';
import { type JournalCommand, runJournalCommand } from './commands.ts';

const USAGE = `Usage: event-manager-journal <command> [--json] DIR

  verify    read every byte and name each damage; exits with 1 if there is any; changes nothing
  inspect   show segments, bounds, witness and state; changes nothing
  repair    copy damaged files to DIR/quarantine, write clean ones, put on record what is lost
`;

const COMMANDS: ReadonlySet<string> = new Set<JournalCommand>(['verify', 'inspect', 'repair']);
const DAMAGED = 1;
const WRONG_USE = 2;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  const [command, directory, ...rest] = positionals;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (command === undefined || !COMMANDS.has(command) || directory === undefined || rest.length > 0) {
    console.error(USAGE);
    return WRONG_USE;
  }
  const report = await runJournalCommand(command as JournalCommand, directory);
  if (report === undefined) {
    console.error(`There is no journal in ${directory}.`);
    return WRONG_USE;
  }
  console.log(values.json ? JSON.stringify(report.result) : report.lines.join('\n'));
  return report.isDamaged ? DAMAGED : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const code = isEventManagerError(error) ? `${error.code}: ` : '';
  console.error(`${code}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = WRONG_USE;
}

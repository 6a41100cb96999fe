#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { EventManagerError, isEventManagerError, systemRuntime } from '@event-manager/core';
import { inspect } from './cli/inspect.ts';
import { repair } from './cli/repair.ts';
import { verify } from './cli/verify.ts';
import type { Damage } from './damage.ts';
import { isJournalFile, LOCK_FILE } from './files/file-names.ts';
import { Folder } from './files/folder.ts';
import { nodeDisk } from './files/node-disk.ts';

const USAGE = `Usage: event-manager-journal <command> [--json] DIR

  verify    read every byte and name each damage; exits with 1 if there is any; changes nothing
  inspect   show segments, bounds, witness and state; changes nothing
  repair    copy damaged files to DIR/quarantine, write clean ones, put on record what is lost
`;

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
  if (command === undefined || directory === undefined || rest.length > 0) {
    console.error(USAGE);
    return WRONG_USE;
  }
  const folder = new Folder(nodeDisk, systemRuntime, directory);
  if (!(await folder.list()).some(isJournalFile)) {
    console.error(`There is no journal in ${directory}.`);
    return WRONG_USE;
  }
  const print = (result: object, lines: readonly string[]): void =>
    console.log(values.json ? JSON.stringify(result) : lines.join('\n'));
  switch (command) {
    case 'verify':
      return runVerify(folder, print);
    case 'inspect': {
      const found = await unused(folder, () => inspect(folder));
      print(found, [JSON.stringify(found, undefined, 2)]);
      return 0;
    }
    case 'repair': {
      const { damages, lost } = await repair(folder);
      const lines =
        damages.length === 0
          ? ['nothing to repair']
          : [...damages.map(damageLine), `repaired; copies are in ${directory}/quarantine`];
      print({ damages, lost }, lines);
      return 0;
    }
    default:
      console.error(USAGE);
      return WRONG_USE;
  }
}

async function runVerify(folder: Folder, print: (result: object, lines: readonly string[]) => void): Promise<number> {
  const { damages, notes, head } = await unused(folder, () => verify(folder));
  const lines = [
    ...damages.map(damageLine),
    ...notes,
    damages.length === 0 ? `undamaged; last position ${head}` : `${damages.length} damaged`,
  ];
  print({ damages, notes, head }, lines);
  return damages.length === 0 ? 0 : DAMAGED;
}

/** A journal that is open changes while it is read: half-written batches would look like damage. */
async function unused<T>(folder: Folder, work: () => Promise<T>): Promise<T> {
  if (!(await folder.list()).includes(LOCK_FILE)) return work();
  const release = await nodeDisk.lock(folder.path(LOCK_FILE));
  if (release === undefined)
    throw new EventManagerError('store_locked', 'A process has the data directory open; stop it first.');
  try {
    return await work();
  } finally {
    await release();
  }
}

function damageLine({ file, offset, reason, lost }: Damage): string {
  const range = lost === undefined ? '' : `; positions ${lost.from} to ${lost.through} are lost`;
  return `${file}: offset ${offset}: ${reason}${range}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  const code = isEventManagerError(error) ? `${error.code}: ` : '';
  console.error(`${code}${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = WRONG_USE;
}

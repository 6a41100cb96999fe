import { type JournalCommand, runJournalCommand } from '@event-manager/journal/commands';
import { settleConfiguration } from '@event-manager/server/configuration';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { Output } from '../../output/output.ts';
import { ProgressBar } from '../../output/progress-bar.ts';
import { settingArguments } from '../serve/setting-arguments.ts';
import type { JournalFlags } from './route.ts';

export async function verifyJournal(this: CliContext, flags: JournalFlags, directory?: string): Promise<void> {
  await run(this, 'verify', flags, directory);
}

export async function inspectJournal(this: CliContext, flags: JournalFlags, directory?: string): Promise<void> {
  await run(this, 'inspect', flags, directory);
}

export async function repairJournal(this: CliContext, flags: JournalFlags, directory?: string): Promise<void> {
  await run(this, 'repair', flags, directory);
}

async function run(
  context: CliContext,
  command: JournalCommand,
  flags: JournalFlags,
  given: string | undefined,
): Promise<void> {
  const { environment, homeDirectory, runtime } = context.surroundings;
  const output = new Output(context, flags);
  const args = settingArguments(flags);
  const directory = given ?? settleConfiguration({ args, environment, homeDirectory }).configuration.dataDir;
  const { clock } = runtime;
  const bar = new ProgressBar({ stream: output.progressStream, clock, environment, unit: 'segments' });
  const report = await runJournalCommand(command, directory, (done, total) => bar.update(done, total))
    .catch(asMissing)
    .finally(() => bar.end());
  if (report === undefined) throw new CommandFailure('notFound', `There is no journal in ${directory}.`);
  await output.result(report.result, () => report.lines);
  if (report.isDamaged) context.end('failed');
}

function asMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

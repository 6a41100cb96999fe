import type { RunKind } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import { followRun } from './follow-run.ts';
import type { ListRunsFlags, ShowRunFlags } from './route.ts';
import { runLines, runTable } from './run-lines.ts';

export async function listRuns(this: CliContext, flags: ListRunsFlags): Promise<void> {
  await using client = await connect(this, flags);
  const runs = await client.listRuns(flags.kind === undefined ? {} : { kind: flags.kind as RunKind });
  const output = new Output(this, flags);
  if (output.json) {
    for (const run of runs) await output.result(run, () => []);
    return;
  }
  await output.result(undefined, () => runTable(runs));
  if (runs.length === 0) output.note('no runs');
}

export async function showRun(this: CliContext, flags: ShowRunFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const output = new Output(this, flags);
  const run = await client.getRun(id);
  if (flags.follow) await followRun(this, client, run, output);
  else await output.result(run, () => runLines(run));
}

export async function pauseRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const run = await client.pauseRun(id);
  await new Output(this, flags).result(run, () => runLines(run));
}

export async function resumeRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const run = await client.resumeRun(id);
  await new Output(this, flags).result(run, () => runLines(run));
}

export async function cancelRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const run = await client.cancelRun(id);
  await new Output(this, flags).result(run, () => runLines(run));
}

export async function reportRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const failures = await client.getRunReport(id);
  const output = new Output(this, flags);
  if (output.json) {
    for (const failure of failures) await output.result(failure, () => []);
    return;
  }
  const rows = failures.map(({ eventId, subscriptionId, topic, attempts, errors }) => {
    return [eventId, subscriptionId, topic, String(attempts), errors.at(-1)?.message ?? ''];
  });
  await output.result(undefined, () => textTable(['EVENT', 'SUBSCRIPTION', 'TOPIC', 'ATTEMPTS', 'REASON'], rows));
  if (failures.length === 0) output.note('nothing was given up on');
}

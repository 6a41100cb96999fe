import type { RunKind } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import { subscriptionNames } from '../../service/subscription-names.ts';
import { followRun } from './follow-run.ts';
import type { ListRunsFlags, ShowRunFlags } from './route.ts';
import { printRun, runTable } from './run-lines.ts';

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
  else await printRun(client, output, run);
}

export async function pauseRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const run = await client.pauseRun(id);
  await printRun(client, new Output(this, flags), run);
}

export async function resumeRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const run = await client.resumeRun(id);
  await printRun(client, new Output(this, flags), run);
}

export async function cancelRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const run = await client.cancelRun(id);
  await printRun(client, new Output(this, flags), run);
}

export async function reportRun(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const failures = await client.getRunReport(id);
  const output = new Output(this, flags);
  if (output.json) {
    for (const failure of failures) await output.result(failure, () => []);
    return;
  }
  const nameOf = await subscriptionNames(
    client,
    output,
    failures.map(({ subscriptionId }) => subscriptionId),
  );
  const rows = failures.map(({ eventId, subscriptionId, topic, attempts, errors }) => {
    return [eventId, nameOf(subscriptionId), topic, String(attempts), errors.at(-1)?.message ?? ''];
  });
  await output.result(undefined, () => textTable(['EVENT', 'SUBSCRIPTION', 'TOPIC', 'ATTEMPTS', 'REASON'], rows));
  if (failures.length === 0) output.note('nothing was given up on');
}

import type { EventManagerClient } from '@event-manager/client';
import { isEventManagerError, type LettersRequest, type Run, type SelectedLetters } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { confirmed } from '../../input/confirmed.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import { type NameOf, subscriptionNames } from '../../service/subscription-names.ts';
import { followRun } from '../runs/follow-run.ts';
import { groupTable, subscriptionsOf } from './groups.ts';
import { lettersRequest, redriveRequest } from './letters-request.ts';
import type { LettersFlags, RedriveFlags } from './redrive-flags.ts';

type Kind = 'redrive' | 'discard';

const DONE: Readonly<Record<Kind, string>> = { redrive: 'redriven', discard: 'discarded' };

export async function redrive(this: CliContext, flags: RedriveFlags, ...ids: string[]): Promise<void> {
  await close(this, flags, 'redrive', await redriveRequest(this, flags, ids));
}

export async function discard(this: CliContext, flags: LettersFlags, ...ids: string[]): Promise<void> {
  await close(this, flags, 'discard', lettersRequest(this, flags, ids));
}

async function close(context: CliContext, flags: LettersFlags, kind: Kind, request: LettersRequest): Promise<void> {
  await using client = await connect(context, flags);
  const output = new Output(context, flags);
  if (flags.dryRun) {
    const selected = await client[kind]({ ...request, dryRun: true });
    const nameOf = await subscriptionNames(client, output, subscriptionsOf(selected.groups));
    await output.result(selected, () => linesOf(selected, nameOf));
    return;
  }
  const run = await start(context, client, kind, request, flags);
  if (flags.follow) {
    output.note(`${kind} ${run.id}`);
    await followRun(context, client, run, output);
    return;
  }
  await output.result(run, () => [run.id]);
  output.note(`event-manager runs show ${run.id} says how far it is`);
}

/** So many that they have to be confirmed are asked for, or known to be meant by `--yes`. */
async function start(
  context: CliContext,
  client: EventManagerClient,
  kind: Kind,
  request: LettersRequest,
  { yes, json }: LettersFlags,
): Promise<Run> {
  try {
    return await client[kind](request);
  } catch (error) {
    if (!isEventManagerError(error, 'confirmation_required')) throw error;
    const count = error.details['count'] as number;
    // A program reads the code and the count, and nobody sits in front of it.
    if (json && !yes) throw error;
    const question = `${count.toLocaleString('en-US')} dead letters would be ${DONE[kind]}. Go on?`;
    if (!yes && !(await confirmed(context, question))) {
      throw new CommandFailure('failed', `${count} dead letters are meant: say --yes; nothing was done`);
    }
    return client[kind]({ ...request, confirm: count });
  }
}

function linesOf({ count, complete, sample, groups }: SelectedLetters, nameOf: NameOf): string[] {
  const known = `${complete ? '' : 'at least '}${count} dead letters are meant`;
  if (count === 0) return [known];
  const rows = sample.map(({ id, deadAtMs, eventId, attempts, reason }) => {
    return [id, new Date(deadAtMs).toISOString(), eventId, String(attempts), reason];
  });
  const first = count > sample.length ? [`the first ${sample.length}:`] : [];
  return [
    known,
    '',
    ...groupTable(groups, nameOf),
    '',
    ...first,
    ...textTable(['ID', 'GIVEN UP', 'EVENT', 'ATTEMPTS', 'REASON'], rows),
  ];
}

import type { DeadLetter } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import { subscriptionNames } from '../../service/subscription-names.ts';
import type { DeadLettersFlags } from './route.ts';

const NO_EVENT = 'null';

export async function listDeadLetters(this: CliContext, flags: DeadLettersFlags): Promise<void> {
  await using client = await connect(this, flags);
  const letters = await client.listDeadLetters(flags.subscription, { state: flags.state });
  const output = new Output(this, flags);
  if (output.json) {
    for (const letter of letters) await output.result(readable(letter), () => []);
    return;
  }
  const nameOf = await subscriptionNames(
    client,
    output,
    letters.map(({ subscriptionId }) => subscriptionId),
  );
  const rows = letters.map(({ id, subscriptionId, eventId, attempts, reason, deadAtMs, state }) => {
    return [id, state, new Date(deadAtMs).toISOString(), nameOf(subscriptionId), eventId, String(attempts), reason];
  });
  const titles = ['ID', 'STATE', 'GIVEN UP', 'SUBSCRIPTION', 'EVENT', 'ATTEMPTS', 'REASON'];
  await output.result(undefined, () => textTable(titles, rows));
  if (letters.length === 0) output.note('no dead letters');
}

export async function getDeadLetter(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  const letter = readable(await client.getDeadLetter(id));
  await new Output(this, flags).whole(letter);
}

/** The letter holds the event as text, byte for byte; who looks at it wants to read it. */
function readable(letter: DeadLetter): object {
  const { event, ...rest } = letter;
  return { ...rest, event: typeof event === 'string' ? JSON.parse(event || NO_EVENT) : event };
}

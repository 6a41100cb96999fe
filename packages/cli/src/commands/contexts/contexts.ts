import type { JsonObject } from '@event-manager/core/portable';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import type { SetContextFlags } from './route.ts';

export async function listContexts(this: CliContext, flags: ServiceFlags): Promise<void> {
  await using client = await connect(this, flags);
  const contexts = await client.listContexts();
  const output = new Output(this, flags);
  await output.result(contexts, () =>
    textTable(
      ['SUBSCRIBER', 'USERS', 'PROJECTS', 'SESSIONS', 'SINCE'],
      contexts.map(({ subscriber, userIds, projectIds, sessionIds, updatedAt }) => [
        subscriber,
        ...[userIds, projectIds, sessionIds].map((ids) => String(ids.length)),
        updatedAt,
      ]),
    ),
  );
  if (contexts.length === 0) output.note('no context is registered: whatever names anybody is relevant');
}

export async function getContext(this: CliContext, flags: ServiceFlags, subscriber: string): Promise<void> {
  await using client = await connect(this, flags);
  await new Output(this, flags).whole(await client.getContext(subscriber));
}

export async function setContext(
  this: CliContext,
  flags: SetContextFlags,
  subscriber: string,
  given?: string,
): Promise<void> {
  const context = await contextOf(this, flags, given);
  await using client = await connect(this, flags);
  await new Output(this, flags).whole(await client.registerContext(subscriber, context));
}

export async function removeContext(this: CliContext, flags: ServiceFlags, subscriber: string): Promise<void> {
  await using client = await connect(this, flags);
  await client.removeContext(subscriber);
  await new Output(this, flags).result({ subscriber, removed: true }, () => [`removed ${subscriber}`]);
}

async function contextOf(
  context: CliContext,
  { user, project, session }: SetContextFlags,
  text: string | undefined,
): Promise<JsonObject> {
  const whole = text === undefined ? {} : await readObjectArgument(context, 'the context', text);
  const flags = { userIds: user, projectIds: project, sessionIds: session };
  const given = Object.entries(flags).flatMap(([name, ids]) => (ids === undefined ? [] : [[name, ids] as const]));
  const all: JsonObject = { ...whole, ...Object.fromEntries(given) };
  if (Object.keys(all).length > 0) return all;
  throw new CommandFailure('wrongUse', '--user, --project, --session or a context as JSON is needed; see --help');
}

import type { EventManager } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import type { ServiceFlags } from '../../command-flags.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';

export async function getSubscription(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await show(this, flags, (client) => client.getSubscription(id));
}

export async function updateSubscription(
  this: CliContext,
  flags: ServiceFlags,
  id: string,
  given: string,
): Promise<void> {
  const changes = await readObjectArgument(this, 'the changes', given);
  await show(this, flags, (client) => client.updateSubscription(id, changes));
}

export async function pauseSubscription(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await show(this, flags, (client) => client.pauseSubscription(id));
}

export async function resumeSubscription(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await show(this, flags, (client) => client.resumeSubscription(id));
}

export async function deleteSubscription(this: CliContext, flags: ServiceFlags, id: string): Promise<void> {
  await using client = await connect(this, flags);
  await client.unsubscribe(id);
  await new Output(this, flags).result({ id, deleted: true }, () => [`deleted ${id}`]);
}

async function show(
  context: CliContext,
  flags: ServiceFlags,
  work: (client: EventManager) => Promise<object>,
): Promise<void> {
  await using client = await connect(context, flags);
  const subscription = await work(client);
  await new Output(context, flags).whole(subscription);
}

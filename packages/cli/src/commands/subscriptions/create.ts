import { readFile } from 'node:fs/promises';
import type { SubscribeRequest } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { CreateSubscriptionFlags } from './route.ts';

export async function createSubscription(
  this: CliContext,
  flags: CreateSubscriptionFlags,
  given?: string,
): Promise<void> {
  const request = await requestOf(this, flags, given);
  await using client = await connect(this, flags);
  const { definition } = await client.subscribe(request);
  await new Output(this, flags).whole(definition);
}

async function requestOf(
  context: CliContext,
  { topic, endpoint, fallback, realtime, name, filter, options, secretFile }: CreateSubscriptionFlags,
  given: string | undefined,
): Promise<SubscribeRequest> {
  const whole = given === undefined ? {} : await readObjectArgument(context, 'the request', given);
  const flags = {
    topic,
    endpoint,
    fallbackWebhook: fallback,
    realtime,
    name,
    filter: filter === undefined ? undefined : await readObjectArgument(context, '--filter', filter),
    options: options === undefined ? undefined : await readObjectArgument(context, '--options', options),
    secret: secretFile === undefined ? undefined : await readSecret(secretFile),
  };
  const request = { ...whole, ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) };
  if (!('topic' in request)) throw new CommandFailure('wrongUse', '--topic is missing; see --help');
  const isComplete =
    'endpoint' in request || 'name' in request || ('fallbackWebhook' in request && 'realtime' in request);
  if (!isComplete) {
    throw new CommandFailure('wrongUse', '--endpoint is missing, or --name for one that is pulled; see --help');
  }
  return request as unknown as SubscribeRequest;
}

/** Not a flag of its own: the command lines of a machine are visible to everybody on it. */
async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure('wrongUse', `--secret-file names a file that cannot be read: ${path} (${code})`);
  }
}

import { createReadStream } from 'node:fs';
import type { EventIn, PublishResult } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { readDelayMs, readMoment } from '../../input/read-moment.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import { publishMany } from './publish-many.ts';
import type { PublishFlags } from './route.ts';

const DEFAULT_SOURCE = 'event-manager-cli';

export async function publish(this: CliContext, flags: PublishFlags, what: string, payload?: string): Promise<void> {
  const isMany = what === '-' || what.startsWith('@');
  if (!isMany) {
    await publishOne(this, flags, what, payload);
    return;
  }
  if (payload !== undefined) {
    throw new CommandFailure('wrongUse', `a payload goes with a type, not with ${what}; see --help`);
  }
  if (flags.id !== undefined) throw new CommandFailure('wrongUse', '--id names one event, and these may be many');
  const input = what === '-' ? this.surroundings.stdin : await openFile(what.slice(1));
  await publishMany(this, flags, input, defaultsOf(flags));
}

async function publishOne(context: CliContext, flags: PublishFlags, type: string, given?: string): Promise<void> {
  const payload = given === undefined ? {} : await readObjectArgument(context, 'the payload', given);
  await using client = await connect(context, flags);
  const result: PublishResult = await client.publish({ ...defaultsOf(flags), type, payload } as EventIn);
  await new Output(context, flags).result(result, () => {
    const { id, cursor, duplicate, scheduledFor } = result;
    if (scheduledFor !== undefined) return [`${id} ${duplicate ? 'was' : 'is'} scheduled for ${scheduledFor}`];
    return [duplicate ? `${id} was stored before` : `${id} is stored at ${cursor}`];
  });
}

/** What the flags say of every event; an event that says it itself keeps its own. */
function defaultsOf(flags: PublishFlags): object {
  const { source, topic, priority, id, correlationId, causationId, tag = [], at, delay } = flags;
  if (at !== undefined && delay !== undefined)
    throw new CommandFailure('wrongUse', '--at and --delay are one too many');
  const deliverAt = at === undefined ? undefined : readMoment('at', at);
  const delayMs = delay === undefined ? undefined : readDelayMs('delay', delay);
  const given = { topic, priority, id, correlationId, causationId, deliverAt, delayMs };
  return {
    source: source ?? DEFAULT_SOURCE,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(tag.length === 0 ? {} : { metadata: { tags: tag } }),
  };
}

async function openFile(path: string): Promise<NodeJS.ReadableStream> {
  const stream = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve());
    stream.once('error', ({ code }: NodeJS.ErrnoException) => {
      reject(new CommandFailure('wrongUse', `the file cannot be read: ${path} (${code})`));
    });
  });
  return stream;
}

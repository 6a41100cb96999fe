import type { StreamedEvent, StreamedGap, StreamRequest } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { untilAborted } from '../../input/until-aborted.ts';
import { eventLine } from '../../output/event-lines.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { TailFlags } from './route.ts';

export async function tail(this: CliContext, flags: TailFlags): Promise<void> {
  const request = await requestOf(this, flags);
  const output = new Output(this, flags);
  await using client = await connect(this, flags, (words) => output.note(words));
  await this.interruptible(async (signal) => {
    // A service that is away is waited for, but not by somebody who wants to leave.
    signal.addEventListener('abort', () => void client.close());
    const stream = await client.stream(request);
    output.note('watching; Ctrl-C ends it');
    let left = flags.count ?? Number.POSITIVE_INFINITY;
    for await (const frame of untilAborted(stream, signal)) {
      await print(output, frame);
      if (frame.kind === 'event' && --left === 0) break;
    }
    stream.close();
    if (left > 0) output.note(`to continue: --from ${stream.cursor}`);
  });
}

async function print(output: Output, frame: StreamedEvent | StreamedGap): Promise<void> {
  if (frame.kind === 'event' || output.json) {
    await output.result(frame, () => (frame.kind === 'event' ? [eventLine(frame.event)] : []));
    return;
  }
  output.warning(`events are missing here (${frame.cause})`);
}

async function requestOf(
  context: CliContext,
  { topic = [], type = [], filter, subscriber, from }: TailFlags,
): Promise<StreamRequest> {
  const given = filter === undefined ? {} : await readObjectArgument(context, '--filter', filter);
  const wanted = { ...given, ...(type.length === 0 ? {} : { types: type }) };
  return {
    ...(topic.length === 0 ? {} : { topics: topic }),
    ...(Object.keys(wanted).length === 0 ? {} : { filter: wanted }),
    ...(subscriber === undefined ? {} : { subscriber }),
    ...(from === undefined ? {} : { from }),
  };
}

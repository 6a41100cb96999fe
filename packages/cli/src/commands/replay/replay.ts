import type { ReplayPreview } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { CommandFailure } from '../../exit-codes.ts';
import { readPlace } from '../../input/read-place.ts';
import { eventLine } from '../../output/event-lines.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import { followRun } from '../runs/follow-run.ts';
import type { ReplayFlags } from './route.ts';

export async function startReplay(this: CliContext, flags: ReplayFlags): Promise<void> {
  const request = requestOf(this, flags);
  await using client = await connect(this, flags);
  const output = new Output(this, flags);
  if (flags.dryRun) {
    const preview = await client.replay({ ...request, dryRun: true });
    await output.result(preview, () => previewLines(preview));
    return;
  }
  const run = await client.replay(request);
  if (flags.follow) {
    output.note(`replay ${run.id}`);
    await followRun(this, client, run, output);
    return;
  }
  await output.result(run, () => [run.id]);
  output.note(`event-manager runs show ${run.id} says how far it is`);
}

function requestOf(context: CliContext, flags: ReplayFlags): Readonly<Record<string, unknown>> {
  const { from, to, topic, type, source, userId, projectId, correlationId, subscription, all, speed, target, note } =
    flags;
  const nowMs = context.surroundings.runtime.clock.wallMs();
  return {
    ...(from === undefined ? {} : { from: readPlace('from', from, nowMs) }),
    ...(to === undefined ? {} : { to: readPlace('to', to, nowMs) }),
    ...{
      topic,
      types: type,
      sources: source,
      userId,
      projectId,
      correlationId,
      subscriptions: subscription,
      all,
      target,
      note,
    },
    ...(speed === undefined ? {} : readSpeed(speed)),
  };
}

function readSpeed(given: string): Readonly<Record<string, unknown>> {
  if (given === 'max' || given === 'original') return { speed: given };
  const factor = /^original:(\d{1,9}(?:\.\d{1,9})?)$/.exec(given)?.[1];
  if (factor !== undefined) return { speed: { factor: Number(factor) } };
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(given)) return { speed: Number(given) };
  throw new CommandFailure('wrongUse', '--speed is max, original, original:10, or events per second');
}

function previewLines({ count, complete, subscriptions, sample }: ReplayPreview): readonly string[] {
  const rows = subscriptions.map((one) => [one.name ?? one.id, one.count.toLocaleString('en-US')]);
  const total = `${count.toLocaleString('en-US')}${complete ? '' : ' or more'} deliveries`;
  return [...textTable(['SUBSCRIPTION', 'DELIVERIES'], rows), total, ...sample.map((event) => eventLine(event))];
}

import type { FilterPreview, PreviewRequest } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { readObjectArgument } from '../../input/read-json-argument.ts';
import { readTime } from '../../input/read-time.ts';
import { Output } from '../../output/output.ts';
import { textTable } from '../../output/text-table.ts';
import { connect } from '../../service/connect.ts';
import type { PreviewFlags } from './route.ts';

export async function previewFilter(this: CliContext, flags: PreviewFlags): Promise<void> {
  const request = await requestOf(this, flags);
  const output = new Output(this, flags);
  await using client = await connect(this, flags);
  await this.interruptible(async (signal) => {
    signal.addEventListener('abort', () => void client.close());
    let preview = await client.previewFilter(request);
    while (flags.all === true && preview.nextCursor !== undefined && !signal.aborted) {
      output.note(`looked at ${preview.looked}, of which ${preview.matched} match`);
      preview = added(preview, await client.previewFilter({ ...request, cursor: preview.nextCursor }), request.sample);
    }
    await output.result(preview, () => previewLines(preview));
    if (preview.nextCursor !== undefined) output.note(`there may be more: --cursor ${preview.nextCursor}, or --all`);
  });
}

const SAMPLE_DEFAULT = 5;

function added(before: FilterPreview, next: FilterPreview, sample = SAMPLE_DEFAULT): FilterPreview {
  return {
    ...next,
    looked: before.looked + next.looked,
    matched: before.matched + next.matched,
    matching: [...before.matching, ...next.matching].slice(0, sample),
    notMatching: [...before.notMatching, ...next.notMatching].slice(0, sample),
  };
}

function previewLines({ looked, matched, matching, notMatching }: FilterPreview): string[] {
  const matchingRows = matching.map(({ recordedAt, type, topic, id }) => [recordedAt, type, topic, id]);
  const others = notMatching.map(({ recordedAt, type, id, clause, wanted, found }) => {
    const has = found === undefined ? 'nothing' : JSON.stringify(found);
    return [recordedAt, type, id, `${clause} wants ${JSON.stringify(wanted)}, has ${has}`];
  });
  return [
    `${matched} of ${looked} events match`,
    ...textTable(['MATCHING', 'TYPE', 'TOPIC', 'ID'], matchingRows),
    ...textTable(['NOT MATCHING', 'TYPE', 'ID', 'BECAUSE'], others),
  ];
}

async function requestOf(context: CliContext, flags: PreviewFlags): Promise<PreviewRequest> {
  const { topic, filter, subscriber, from, to, limit, sample, cursor, oldest } = flags;
  const nowMs = context.surroundings.runtime.clock.wallMs();
  const given = {
    topic,
    filter: filter === undefined ? undefined : await readObjectArgument(context, '--filter', filter),
    subscriber,
    from: from === undefined ? undefined : readTime('from', from, nowMs),
    to: to === undefined ? undefined : readTime('to', to, nowMs),
    limit,
    sample,
    cursor,
    direction: oldest === true ? 'forward' : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as PreviewRequest;
}

import type { EventsPage } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { readTime } from '../../input/read-time.ts';
import { eventLine } from '../../output/event-lines.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { ListEventsFlags } from './route.ts';

export async function listEvents(this: CliContext, flags: ListEventsFlags): Promise<void> {
  const nowMs = this.surroundings.runtime.clock.wallMs();
  const query = queryOf(flags, nowMs);
  const output = new Output(this, flags);
  await using client = await connect(this, flags);
  const direction = flags.newest ? 'backward' : 'forward';
  const pageOf = (cursor: string | undefined): Promise<EventsPage> =>
    client.getEvents(query, {
      direction,
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
      ...(cursor === undefined ? {} : { cursor }),
    });
  if (!flags.all) {
    await printPage(output, await pageOf(flags.cursor));
    return;
  }
  await this.interruptible(async (signal) => {
    signal.addEventListener('abort', () => void client.close());
    for (let cursor = flags.cursor, isFirst = true; (isFirst || cursor !== undefined) && !signal.aborted; ) {
      const page = await pageOf(cursor);
      for (const event of page) await output.result(event, () => [eventLine(event)]);
      cursor = page.nextCursor;
      isFirst = false;
    }
  });
}

async function printPage(output: Output, page: EventsPage): Promise<void> {
  const { nextCursor, complete } = page;
  await output.result({ data: page, nextCursor: nextCursor ?? null, complete }, () => page.map(eventLine));
  if (nextCursor !== undefined) output.note(`there may be more: --cursor ${nextCursor}, or --all`);
}

function queryOf(flags: ListEventsFlags, nowMs: number): Record<string, unknown> {
  const { topic, type, source, priority, userId, projectId, correlationId, causationId, from, to } = flags;
  const given = {
    topic,
    type: someOf(type),
    source: someOf(source),
    priority: someOf(priority),
    userId,
    projectId,
    correlationId,
    causationId: someOf(causationId),
    from: from === undefined ? undefined : readTime('from', from, nowMs),
    to: to === undefined ? undefined : readTime('to', to, nowMs),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function someOf(values: readonly string[] | undefined): readonly string[] | undefined {
  return values === undefined || values.length === 0 ? undefined : values;
}

import type { EventDelivery, GraphCut } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { eventTree } from '../../output/event-tree.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import type { TraceFlags } from './route.ts';
import { undelivered } from './undelivered.ts';

const NOTHING: ReadonlyMap<string, readonly EventDelivery[]> = new Map();

export async function trace(this: CliContext, flags: TraceFlags, id: string): Promise<void> {
  const { depth, eventsMax } = flags;
  const output = new Output(this, flags);
  await using client = await connect(this, flags);
  const graph = await client.getEventGraph(id, { depth, eventsMax });
  const open = flags.deliveries ? await undelivered(client, graph.events) : NOTHING;
  const told = flags.deliveries ? { ...graph, undelivered: Object.fromEntries(open) } : graph;
  const marks = new Map([...open].map(([of, deliveries]) => [of, deliveries.map(markOf).join(', ')]));
  await output.result(told, () => eventTree(graph, drawsBoxes(this), marks));
  for (const cut of graph.cut) output.note(wordsOf(cut));
}

function markOf({ subscriptionId, name = subscriptionId, reason }: EventDelivery): string {
  return `${name}: ${reason}`;
}

/** Lines between boxes are for terminals that say they show UTF-8; files and other programs get what everything can read. */
function drawsBoxes({ surroundings: { environment, stdout } }: CliContext): boolean {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return stdout.isTTY === true && /utf-?8/i.test(locale);
}

function wordsOf({ direction, reason, at }: GraphCut): string {
  const what = direction === 'flow' ? 'events of the flow' : `${direction} of ${at.join(', ')}`;
  const why = {
    depth: `lie deeper; --depth shows them`,
    events: `do not fit; --events-max shows more`,
    time: `were not all found in the time of one search`,
  };
  return `not everything is shown: ${what} ${why[reason]}`;
}

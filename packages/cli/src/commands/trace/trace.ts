import type { EventDelivery, GraphCut } from '@event-manager/core';
import type { CliContext } from '../../cli-context.ts';
import { eventTree } from '../../output/event-tree.ts';
import { Output } from '../../output/output.ts';
import { connect } from '../../service/connect.ts';
import { DEPTH_MAX, EVENTS_MAX, type TraceFlags } from './route.ts';
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
  for (const cut of graph.cut) output.note(wordsOf(cut, flags));
}

function markOf({ subscriptionId, name = subscriptionId, reason }: EventDelivery): string {
  return `${name}: ${reason}`;
}

/** Lines between boxes are for terminals that say they show UTF-8; files and other programs get what everything can read. */
function drawsBoxes({ surroundings: { environment, stdout } }: CliContext): boolean {
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return stdout.isTTY === true && /utf-?8/i.test(locale);
}

/** What is advised has to help: a flag that has its greatest value is none. */
function wordsOf({ direction, reason, at }: GraphCut, { depth = 0, eventsMax = 0 }: TraceFlags): string {
  const what = direction === 'flow' ? 'events of the flow' : `${direction} of ${at.join(', ')}`;
  const why = {
    depth:
      depth < DEPTH_MAX
        ? 'lie deeper; --depth shows them'
        : `lie deeper than the ${DEPTH_MAX} steps of one graph; trace one of those to go on from there`,
    events:
      eventsMax < EVENTS_MAX
        ? 'do not fit; --events-max shows more'
        : `are more than the ${EVENTS_MAX.toLocaleString('en-US')} of one graph; trace one that is shown to see those near it`,
    time: `were not all found in the time of one search`,
  };
  return `not everything is shown: ${what} ${why[reason]}`;
}

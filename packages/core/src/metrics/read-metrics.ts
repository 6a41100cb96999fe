import type { AdapterHealth } from '../contracts/adapter.ts';
import type { Position } from '../contracts/event-store.ts';
import { receiverMetrics } from '../dispatch/failure/receiver-status.ts';
import { oldestMs } from '../dispatch/pace/lane-status.ts';
import { isReadingBack } from '../dispatch/pace/overflow-watch.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import { EventPriority, LANES, type Lane, priorityName } from '../event/priority.ts';
import type { ProgressHealth } from '../health/stall-watch.ts';
import type { Retention } from '../retention/retention.ts';
import type { ReplayRoom } from '../runs/replay/replay-room.ts';
import type { Runs } from '../runs/runs.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Schedule } from '../schedule/schedule.ts';
import type { Instances } from '../subscription/elsewhere/instances.ts';
import type { SystemEvents } from '../sys/system-events.ts';
import type { ByLane, EventMetrics } from './event-metrics.ts';
import type { Meter } from './meter.ts';
import { realtimeMetrics } from './realtime-metrics.ts';

const MICROSECONDS_PER_SECOND = 1_000_000;
const MS_PER_SECOND = 1_000;

export interface MetricSources {
  readonly meter: Meter;
  readonly dispatch: PartitionDispatch;
  readonly progress: ProgressHealth;
  readonly systemEvents: SystemEvents;
  readonly adapter: AdapterHealth;
  /** How long the store was away. */
  readonly unavailableMs: number;
  readonly schedule: Schedule;
  readonly retention: Retention;
  readonly runs: Pick<Runs, 'open'>;
  readonly replays: Pick<ReplayRoom, 'replayed'>;
  readonly unacknowledged: number;
  readonly subscriptions: number;
  readonly contexts: number;
  readonly streams: number;
  readonly members: number;
  readonly instances: Instances | undefined;
  readonly head: Position;
  readonly clock: Clock;
}

/** Puts together what was counted and what is. It looks at every subscription that is served, so it is for every few seconds. */
export function readMetrics(sources: MetricSources): EventMetrics {
  const { meter, dispatch, progress, systemEvents, adapter } = sources;
  const { unacknowledged, subscriptions, streams, members, head, clock } = sources;
  const { delivered, retried, failed, deadLettered } = meter.deliveries;
  const queues = queuesOf(dispatch);
  const { user, system } = process.cpuUsage();
  return {
    eventsPublished: meter.published,
    eventsProcessed: delivered,
    eventsRetried: retried,
    eventsFailed: failed,
    publishLatency: meter.publishLatency.summary(),
    handlerLatency: meter.handlerLatency.summary(),
    endToEndLatency: meter.endToEndLatency.summary(),
    queueDepth: queues.depth,
    activeSubscriptions: queues.active,
    deadLetterCount: deadLettered,
    memoryUsage: process.memoryUsage.rss(),
    cpuUsage: (user + system) / MICROSECONDS_PER_SECOND,
    duplicates: meter.duplicates,
    rejected: meter.rejected,
    deliveries: { ...meter.deliveries },
    receivers: receiverMetrics(meter.receivers, dispatch.active.values()),
    queueDepthByLane: byLane((lane) => queues.waiting[lane]!),
    waitByLane: byLane((lane) => meter.waits[lane]!.summary()),
    oldestWaitByLane: byLane((lane) => oldestOf(dispatch, lane, clock.wallMs())),
    rateLimitedSubscriptions: rateLimitedOf(dispatch, clock.monotonicMs()),
    readingBackSubscriptions: [...dispatch.active.values()].filter(isReadingBack).length,
    unacknowledged,
    subscriptions,
    contexts: sources.contexts,
    stalledSubscriptions: progress.stalled,
    ...keysOf(dispatch),
    lagMax: progress.lagMax,
    streams,
    members,
    ...(sources.instances === undefined ? {} : { instances: sources.instances }),
    bodies: dispatch.bodies.size,
    bodyBytes: dispatch.bodies.bytes,
    head,
    store: storeOf(adapter, sources.unavailableMs),
    realtime: realtimeMetrics(meter.switches, dispatch.active.values()),
    schedule: { ...sources.schedule.counts },
    retention: { ...sources.retention.counts },
    runs: { open: sources.runs.open, replayed: sources.replays.replayed },
    systemEvents: {
      published: systemEvents.published,
      suppressed: systemEvents.suppressed,
      failed: systemEvents.failed,
    },
  };
}

function queuesOf(dispatch: PartitionDispatch): { waiting: readonly number[]; depth: number; active: number } {
  const waiting = LANES.map(() => 0);
  let owed = 0;
  let active = 0;
  for (const { definition, queue } of dispatch.active.values()) {
    if (definition.state === 'active') active++;
    // The one lane of an ordered subscription holds every priority: it is counted as if all were NORMAL.
    queue.lanes.forEach((lane, number) => {
      waiting[queue.isOrdered ? EventPriority.NORMAL : number]! += lane.waiting;
    });
    owed += queue.owed.size + (queue.keys?.waitingCount ?? 0);
  }
  return { waiting, active, depth: waiting.reduce((sum, count) => sum + count, owed) };
}

function oldestOf({ active }: PartitionDispatch, lane: Lane, wallMs: number): number {
  let oldest = 0;
  for (const subscription of active.values()) {
    if (subscription.definition.state === 'active')
      oldest = Math.max(oldest, oldestMs(subscription, lane, wallMs) ?? 0);
  }
  return oldest;
}

/** Those that have something to deliver and have used up their minute. */
function rateLimitedOf({ active }: PartitionDispatch, nowMs: number): number {
  let limited = 0;
  for (const { rateLimit, queue } of active.values()) {
    if (rateLimit && queue.waitingCount > 0 && rateLimit.room(nowMs) === 0) limited++;
  }
  return limited;
}

function keysOf(dispatch: PartitionDispatch): Pick<EventMetrics, 'blockedKeys' | 'parkedKeys'> {
  let blockedKeys = 0;
  let parkedKeys = 0;
  for (const { queue } of dispatch.active.values()) {
    blockedKeys += queue.keys?.blockedCount ?? 0;
    parkedKeys += queue.keys?.parkedCount ?? 0;
  }
  return { blockedKeys, parkedKeys };
}

function storeOf(
  { status, facts, impairment, errors = {} }: AdapterHealth,
  unavailableMs: number,
): EventMetrics['store'] {
  const { segments, bytes, connections, idle, waiting } = facts;
  return {
    isUp: status !== 'unavailable' && status !== 'failed',
    isImpaired: impairment !== undefined,
    unavailableSeconds: unavailableMs / MS_PER_SECOND,
    errors,
    ...(typeof segments === 'number' ? { segments } : {}),
    ...(typeof bytes === 'number' ? { bytes } : {}),
    ...(typeof connections === 'number' && typeof idle === 'number' && typeof waiting === 'number'
      ? { connections: { used: connections - idle, idle, waiting } }
      : {}),
  };
}

function byLane<Value>(read: (lane: (typeof LANES)[number]) => Value): ByLane<Value> {
  return Object.fromEntries(LANES.map((lane) => [priorityName(lane), read(lane)])) as unknown as ByLane<Value>;
}

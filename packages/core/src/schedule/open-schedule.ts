import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import type { Ingest } from '../ingest/ingest.ts';
import type { Limits } from '../limits.ts';
import type { Meter } from '../metrics/meter.ts';
import { encodeCursor } from '../query/cursor.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { EngineReporter } from '../sys/engine-reporter.ts';
import { Schedule } from './schedule.ts';

/** Wires the schedule to the way in and to the log of one partition. */
export function openSchedule(parts: {
  adapter: EventBusAdapter;
  dispatch: PartitionDispatch;
  runtime: Runtime;
  limits: Limits;
  meter: Meter;
  /** Distinguishes this process among those that share a store. */
  owner: string;
  /** The way in, which needs the schedule itself. */
  ingest: () => Ingest;
  /** Tells of what could not be appended; it comes after the schedule, too. */
  reporter: () => EngineReporter;
  onFailure: (error: unknown) => void;
}): Schedule {
  const { adapter, dispatch, runtime, limits, meter, owner, ingest, reporter, onFailure } = parts;
  const { partition, route, dispatcher } = dispatch;
  return new Schedule({
    ...{ store: adapter.store, state: adapter.state, runtime, limits, meter, onFailure },
    timetable: dispatcher.timetable,
    sharedAs: adapter.supports.shared ? owner : undefined,
    cursor: () => encodeCursor([{ partition, position: route.head }]),
    stored: () => ingest().stored(),
    isFailed: () => adapter.health().status === 'failed',
    append: (event) => ingest().append(event),
    passOn: (waiting) => ingest().passOn(waiting),
    onAnswered: (group) => ingest().answered(group),
    onRefused: (scheduled, error) => reporter().scheduledRefused(scheduled, error),
  });
}

import type { Contexts } from '../context/contexts.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import type { Validate } from '../ingest/validate.ts';
import type { Limits } from '../limits.ts';
import { ANONYMOUS } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Subscriptions } from '../subscription/subscriptions.ts';
import { type DeadLetterOptions, Redrives } from './redrive/redrives.ts';
import { ReplayRoom, type ReplayRoomOptions } from './replay/replay-room.ts';
import { Runs, type RunsOptions } from './runs.ts';

/** What is made after the runs, since deliveries go on beside them. */
interface Later {
  readonly dispatch: PartitionDispatch;
  readonly subscriptions: Subscriptions;
  readonly validate: Validate;
}

export interface OpenRunsOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly contexts: Contexts;
  readonly deadLetters: DeadLetterOptions | undefined;
  readonly webhookSink: ReplayRoomOptions['webhookSink'];
  readonly later: () => Later;
  readonly onTold: RunsOptions['onTold'];
  readonly onFailure: (error: unknown) => void;
}

/** Everything that takes its time, with the rooms of its kinds. */
export function openRuns(options: OpenRunsOptions): { replays: ReplayRoom; redrives: Redrives; runs: Runs } {
  const { adapter, runtime, limits, contexts, deadLetters, webhookSink, later, onTold, onFailure } = options;
  const { state, supports } = adapter;
  const dispatch = () => later().dispatch;
  const replays = new ReplayRoom({
    ...{ adapter, runtime, limits, contexts, dispatch, webhookSink, onFailure },
    subscriptions: () => later().subscriptions.list(ANONYMOUS),
  });
  const redrives = new Redrives({
    ...{ state, runtime, limits, options: deadLetters, dispatch },
    validate: () => later().validate,
    knows: (id) => later().subscriptions.knows(id),
  });
  const rooms = { replay: replays, ...redrives.rooms };
  // Of what ends with another process this one knows nothing.
  const knows = supports.shared ? undefined : (id: string) => later().subscriptions.knows(id);
  const runs = new Runs({ state, runtime, isShared: supports.shared, rooms, knows, onTold, onFailure });
  return { replays, redrives, runs };
}

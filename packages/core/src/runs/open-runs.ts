import type { Contexts } from '../context/contexts.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import type { Limits } from '../limits.ts';
import { ANONYMOUS } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Subscriptions } from '../subscription/subscriptions.ts';
import { ReplayRoom } from './replay/replay-room.ts';
import { Runs, type RunsOptions } from './runs.ts';

export interface OpenRunsOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly contexts: Contexts;
  /** Made after the runs, since deliveries go on beside them. */
  readonly later: () => { readonly dispatch: PartitionDispatch; readonly subscriptions: Subscriptions };
  readonly onTold: RunsOptions['onTold'];
  readonly onFailure: (error: unknown) => void;
}

/** Everything that takes its time, with the rooms of its kinds. */
export function openRuns(options: OpenRunsOptions): { readonly runs: Runs; readonly replays: ReplayRoom } {
  const { adapter, runtime, limits, contexts, later, onTold, onFailure } = options;
  const replays = new ReplayRoom({
    ...{ adapter, runtime, limits, contexts },
    dispatch: () => later().dispatch,
    subscriptions: () => later().subscriptions.list(ANONYMOUS),
  });
  const isShared = adapter.supports.shared;
  const runs = new Runs({
    ...{ state: adapter.state, runtime, isShared, rooms: { replay: replays }, onTold, onFailure },
  });
  return { runs, replays };
}

import type { Contexts } from '../context/contexts.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { PartitionDispatch } from '../dispatch/partition-dispatch.ts';
import type { Validate } from '../ingest/validate.ts';
import type { Limits } from '../limits.ts';
import { ANONYMOUS } from '../principal.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Subscriptions } from '../subscription/subscriptions.ts';
import { type DeadLetterOptions, Redrives } from './redrive/redrives.ts';
import { ReplayRoom } from './replay/replay-room.ts';
import { Runs } from './runs.ts';

export interface OpenRunsOptions {
  readonly adapter: EventBusAdapter;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly contexts: Contexts;
  readonly deadLetters: DeadLetterOptions | undefined;
  readonly dispatch: () => PartitionDispatch;
  readonly subscriptions: () => Subscriptions;
  readonly validate: () => Validate;
  readonly onFailure: (error: unknown) => void;
}

/** Every kind of run, and what starts, pauses and cancels them. */
export function openRuns(options: OpenRunsOptions): { replays: ReplayRoom; redrives: Redrives; runs: Runs } {
  const { adapter, runtime, limits, contexts, deadLetters, dispatch, subscriptions, validate, onFailure } = options;
  const { state, supports } = adapter;
  const replays = new ReplayRoom({
    ...{ adapter, runtime, limits, contexts, dispatch },
    subscriptions: () => subscriptions().list(ANONYMOUS),
  });
  const redrives = new Redrives({
    ...{ state, runtime, limits, options: deadLetters, dispatch, validate },
    knows: (id) => subscriptions().knows(id),
  });
  const rooms = { replay: replays, ...redrives.rooms };
  return { replays, redrives, runs: new Runs({ state, runtime, isShared: supports.shared, rooms, onFailure }) };
}

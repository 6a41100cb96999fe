import type { Engine } from '../engine.ts';
import type { Principal } from '../principal.ts';
import type { ReplayPreview } from './replay/replay-room.ts';
import type { Run, RunFailure } from './run.ts';

const REPORT_PAGE = 1_000;

/** Starts a replay in the engine of this process, or says what it would do. */
export async function replayEmbedded(
  { runs, replays }: Engine,
  principal: Principal,
  request: unknown,
): Promise<Run | ReplayPreview> {
  return replays.isDryRun(request) ? replays.preview(principal, request) : runs.start(principal, 'replay', request);
}

/** Everything that a run gave up on. */
export async function wholeReport({ runs }: Engine, principal: Principal, id: string): Promise<readonly RunFailure[]> {
  const all: RunFailure[] = [];
  let after: string | undefined;
  do {
    const { failures, next } = await runs.report(principal, id, { after, limit: REPORT_PAGE });
    all.push(...failures);
    after = next;
  } while (after !== undefined);
  return all;
}

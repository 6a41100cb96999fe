import type { ClosedLetter } from '../../dispatch/dead-letter.ts';
import type { RunRecord } from '../run.ts';

/** What a letter says of the run that closed it; `event` where that was edited. */
export function closedBy(
  { id, words, note }: RunRecord,
  wallMs: number,
  { event, round }: { readonly event?: string | undefined; readonly round?: number } = {},
): ClosedLetter {
  return {
    ...{ atMs: wallMs, by: words[0]!.by, runId: id },
    ...(note === undefined ? {} : { note }),
    ...(event === undefined ? {} : { event }),
    ...(round === undefined ? {} : { round }),
  };
}

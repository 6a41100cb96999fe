import { isEventManagerError } from '../errors/event-manager-error.ts';

export interface ResultCounts {
  readonly stored: number;
  readonly scheduled: number;
  readonly duplicates: number;
  readonly failed: number;
}

/** How many events of a batch ended in which way; together they are all of them. */
export function countResults(
  results: readonly (Error | { readonly duplicate: boolean; readonly scheduledFor?: string })[],
): ResultCounts {
  const counts = { stored: 0, scheduled: 0, duplicates: 0, failed: 0 };
  for (const result of results) {
    if (isEventManagerError(result) || result instanceof Error) counts.failed++;
    else if (result.duplicate) counts.duplicates++;
    else if (result.scheduledFor !== undefined) counts.scheduled++;
    else counts.stored++;
  }
  return counts;
}

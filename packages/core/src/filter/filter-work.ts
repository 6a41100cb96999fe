import type { Filter } from './filter.ts';

/** A wildcard on a long text costs about as much as ten small events that are passed over. */
const WILDCARD_WORK = 10;
const CHARACTERS_PER_WORK = 4_096;

/**
 * What holding an event against the filter may cost at most, in small events: it counts against the turn of a subscription, so
 * that the largest filter does not hold up everybody else. 0 for filters as people write them.
 */
export function filterWork(filter: Filter | undefined): number {
  if (filter === undefined) return 0;
  return Math.floor(JSON.stringify(filter).length / CHARACTERS_PER_WORK) + WILDCARD_WORK * countWildcards(filter);
}

function countWildcards(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((count, [key, entry]) => {
    const own = key === 'wildcard' ? [entry].flat().length : 0;
    return count + own + countWildcards(entry);
  }, 0);
}

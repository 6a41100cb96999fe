import { DEFAULT_LIMITS, matchesPattern, type Pattern, parsePattern } from '@event-manager/core';
import type { TypeFiltering } from '../configuration/events-configuration.ts';

/** Programs have some dozens of types; one that makes them of data must not fill the memory. */
const KNOWN_MAX = 1_000;

/** Whether a type is wanted: it is among the included ones, and not among the excluded. Throws `invalid_pattern`. */
export function typeFilter({ includeTypes, excludeTypes }: TypeFiltering): (type: string) => boolean {
  const [included, excluded] = [includeTypes.map(read), excludeTypes.map(read)];
  const known = new Map<string, boolean>();
  return (type) => {
    let isWanted = known.get(type);
    if (isWanted === undefined) {
      const isIncluded = included.length === 0 || included.some((pattern) => matchesPattern(pattern, type));
      isWanted = isIncluded && !excluded.some((pattern) => matchesPattern(pattern, type));
      if (known.size < KNOWN_MAX) known.set(type, isWanted);
    }
    return isWanted;
  };
}

function read(text: string): Pattern {
  return parsePattern(text, DEFAULT_LIMITS);
}

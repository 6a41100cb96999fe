import { canonicalLevels, type EventQuery, matchesPattern, parsePattern } from '@event-manager/core';
import type { Dimension, PatternDimension } from '../index/dimensions.ts';
import { hashText } from '../index/hash.ts';
import type { Narrowing } from '../index/segment-index.ts';

/** Translates a query into what indexes can narrow by. Whatever they let through is matched again against the record. */
export function narrowQuery(query: EventQuery): Narrowing {
  const hashes = new Map<Dimension, readonly number[]>();
  const patterns = new Map<PatternDimension, (value: string) => boolean>();
  if (query.topic !== undefined) narrowBy('topic', [query.topic], hashes, patterns);
  if (query.types !== undefined) narrowBy('type', query.types, hashes, patterns);
  if (query.sources !== undefined) hashes.set('source', query.sources.map(hashText));
  if (query.correlationId !== undefined) hashes.set('correlationId', [hashText(query.correlationId)]);
  if (query.causationIds !== undefined) hashes.set('causationId', query.causationIds.map(hashText));
  if (query.userId !== undefined) hashes.set('userId', [hashText(query.userId)]);
  if (query.projectId !== undefined) hashes.set('projectId', [hashText(query.projectId)]);
  return { hashes, patterns, lanes: query.priorities, fromMs: query.fromMs, toMs: query.toMs };
}

function narrowBy(
  dimension: PatternDimension,
  texts: readonly string[],
  hashes: Map<Dimension, readonly number[]>,
  patterns: Map<PatternDimension, (value: string) => boolean>,
): void {
  if (texts.some((text) => text === '#' || text === '*')) {
    // Only `$` roots are left out, which the match of the record sees to.
    return;
  }
  // A topic is indexed in its canonical form, so an exact one needs no look at the distinct values. A type is not.
  if (dimension === 'topic' && !texts.some((text) => /[+*#]/.test(text))) {
    hashes.set(
      dimension,
      texts.map((text) => hashText(canonicalLevels(text))),
    );
    return;
  }
  const known = new Map<string, boolean>();
  const tests = texts.map(compilePattern);
  patterns.set(dimension, (value) => {
    let matches = known.get(value);
    if (matches === undefined) known.set(value, (matches = tests.some((test) => test(value))));
    return matches;
  });
}

/** Patterns of a query were accepted under the limits of the process; here they need no second judgement. */
const UNLIMITED = { topicCharactersMax: Number.POSITIVE_INFINITY, topicLevelsMax: Number.POSITIVE_INFINITY };

/** Types take the same patterns as topics and separate levels alike, so core's matching of a topic decides about both. */
function compilePattern(text: string): (value: string) => boolean {
  const pattern = parsePattern(text, UNLIMITED);
  return (value) => matchesPattern(pattern, canonicalLevels(value));
}

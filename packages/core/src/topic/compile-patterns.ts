import { isExact, matchesPattern, type Pattern, parsePattern } from './pattern.ts';
import { canonicalLevels } from './topic.ts';

/** Patterns that were accepted once are read again without limits: a limit that was lowered meanwhile must not hurt them. */
const UNLIMITED = { topicCharactersMax: Number.POSITIVE_INFINITY, topicLevelsMax: Number.POSITIVE_INFINITY };

/**
 * Makes the test whether a topic or type, in any spelling, matches one of some patterns accepted earlier. Those without
 * wildcards are one look-up. Throws `invalid_pattern`.
 */
export function compilePatterns(texts: readonly string[]): (text: string) => boolean {
  const exact = new Set<string>();
  const wild: Pattern[] = [];
  for (const text of texts) {
    const pattern = parsePattern(text, UNLIMITED);
    if (isExact(pattern)) exact.add(pattern.canonical);
    else wild.push(pattern);
  }
  return (text) => {
    const canonical = canonicalLevels(text);
    return exact.has(canonical) || wild.some((pattern) => matchesPattern(pattern, canonical));
  };
}

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
    if (!isExact(pattern)) wild.push(pattern);
    // In both spellings, so that a text need not be written anew unless it mixes them.
    else exact.add(pattern.canonical).add(pattern.canonical.replaceAll('/', '.'));
  }
  return (text) => {
    if (exact.size > 0 && (exact.has(text) || (isMixed(text) && exact.has(canonicalLevels(text))))) return true;
    for (const pattern of wild) if (matchesPattern(pattern, text)) return true;
    return false;
  };
}

function isMixed(text: string): boolean {
  return text.includes('.') && text.includes('/');
}

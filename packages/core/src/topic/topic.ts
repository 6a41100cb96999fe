import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Limits } from '../limits.ts';

export type TopicLimits = Pick<Limits, 'topicCharactersMax' | 'topicLevelsMax'>;

const DOT = 0x2e;
const SLASH = 0x2f;
const DELETE = 0x7f;
const SURROGATES = 0xd800;

/** Why a text cannot be split into levels; patterns and topics share all rules but those about wildcards. */
export type LevelFault =
  | 'empty'
  | 'too-long'
  | 'empty-level'
  | 'control-character'
  | 'half-surrogate'
  | 'too-many-levels';

/**
 * Reads a topic and returns its canonical form, levels joined by `/`. `.` and `/` both separate. Lengths are UTF-16 units.
 * Throws `invalid_topic` with `details.reason`.
 */
export function parseTopic(text: string, limits: TopicLimits, pointer?: string): string {
  const reason = levelFault(text, limits) ?? (hasWildcard(text) ? 'wildcard' : undefined);
  if (reason === undefined) return canonicalLevels(text);
  const place = pointer === undefined ? {} : { pointer };
  throw new EventManagerError('invalid_topic', `The topic is not usable: ${reason}.`, { ...place, reason });
}

/** Finds what is wrong with a text as a sequence of levels, in one pass without allocating. */
export function levelFault(text: string, limits: TopicLimits): LevelFault | undefined {
  if (text.length === 0) return 'empty';
  if (text.length > limits.topicCharactersMax) return 'too-long';
  let levels = 1;
  let levelLength = 0;
  let mayHoldSurrogates = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT || code === SLASH) {
      if (levelLength === 0) return 'empty-level';
      levels++;
      levelLength = 0;
      continue;
    }
    if (code < 0x20 || (code >= DELETE && code < 0xa0)) return 'control-character';
    if (code >= SURROGATES) mayHoldSurrogates = true;
    levelLength++;
  }
  if (levelLength === 0) return 'empty-level';
  if (levels > limits.topicLevelsMax) return 'too-many-levels';
  return mayHoldSurrogates && !text.isWellFormed() ? 'half-surrogate' : undefined;
}

/** The spelling that matching, indexes and keys use. */
export function canonicalLevels(text: string): string {
  return text.includes('.') ? text.replaceAll('.', '/') : text;
}

/** A wildcard anywhere is refused in a topic, because `a*` in a topic would look like a pattern to every reader. */
function hasWildcard(text: string): boolean {
  return text.includes('*') || text.includes('#') || text.includes('+');
}

/** The root of the bus's own events. */
const RESERVED_ROOT = '$sys';

/** True for topics that only the bus itself may publish to. */
export function isReserved(canonical: string): boolean {
  return canonical.startsWith(RESERVED_ROOT) && (canonical.length === 4 || canonical.charCodeAt(4) === SLASH);
}

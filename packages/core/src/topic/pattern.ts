import { EventManagerError } from '../errors/event-manager-error.ts';
import { canonicalLevels, levelFault, type TopicLimits } from './topic.ts';

const DOT = 0x2e;
const SLASH = 0x2f;

/** Exactly one level. */
export const ONE_LEVEL = '+';
/** One or more levels. */
export const SOME_LEVELS = '*';
/** Zero or more levels. */
export const ANY_LEVELS = '#';

/** Bounds the states a match can be in; more has never been needed and invites expensive patterns. */
const MULTI_LEVEL_WILDCARDS_MAX = 3;

/** Matches topics. Made by `parsePattern` only. */
export interface Pattern {
  /** As it was given. */
  readonly text: string;
  /** Levels joined by `/`. */
  readonly canonical: string;
  readonly levels: readonly string[];
}

/** Reads a pattern. Throws `invalid_pattern` with `details.reason`. */
export function parsePattern(text: string, limits: TopicLimits, pointer?: string): Pattern {
  const fault = levelFault(text, limits);
  if (fault !== undefined) throw invalidPattern(fault, pointer);
  const canonical = canonicalLevels(text);
  const levels = canonical.split('/');
  let multiLevel = 0;
  for (const level of levels) {
    if (level === SOME_LEVELS || level === ANY_LEVELS) multiLevel++;
    else if (level !== ONE_LEVEL && /[+*#]/.test(level)) throw partialWildcard(level, pointer);
  }
  if (multiLevel > MULTI_LEVEL_WILDCARDS_MAX) throw invalidPattern('too-many-multi-level-wildcards', pointer);
  return Object.freeze({ text, canonical, levels: Object.freeze(levels) });
}

const SHOWN_CHARACTERS_MAX = 40;

function partialWildcard(level: string, pointer: string | undefined): EventManagerError {
  const shown = level.length > SHOWN_CHARACTERS_MAX ? `${level.slice(0, SHOWN_CHARACTERS_MAX).toWellFormed()}…` : level;
  const plain = shown.replace(/[+*#]+/g, '') || 'name';
  const words = `A wildcard stands for whole levels, so "${shown}" cannot be one: write "${plain}.*" for all below ${plain}, or "*" alone.`;
  const place = pointer === undefined ? {} : { pointer };
  return new EventManagerError('invalid_pattern', words, { ...place, reason: 'partial-wildcard' });
}

function invalidPattern(reason: string, pointer: string | undefined): EventManagerError {
  const place = pointer === undefined ? {} : { pointer };
  return new EventManagerError('invalid_pattern', `The topic pattern cannot be used: ${reason}.`, { ...place, reason });
}

/** True when the pattern has no wildcard and so matches exactly one topic. */
export function isExact(pattern: Pattern): boolean {
  return !/[+*#]/.test(pattern.canonical);
}

/** True for topics that a wildcard at the start never matches, such as those of the bus itself. */
export function isHidden(canonicalTopic: string): boolean {
  return canonicalTopic.charCodeAt(0) === 0x24;
}

/**
 * Decides whether the pattern matches the topic, whichever of `.` and `/` separates its levels. Only the last multi-level
 * wildcard is ever extended: giving levels to an earlier one instead cannot help, because the later one can take any levels too.
 * So the work is bounded by the product of the two lengths. The topic is read where it stands: filters ask this of every event.
 */
export function matchesPattern(pattern: Pattern, topic: string): boolean {
  const { levels } = pattern;
  const first = levels[0];
  if (isHidden(topic) && (first === ONE_LEVEL || first === SOME_LEVELS || first === ANY_LEVELS)) return false;
  if (levels.length === 1 && (first === SOME_LEVELS || first === ANY_LEVELS)) return true;
  return matchesLevels(levels, topic);
}

/** `at` is where a level of the topic begins; behind the last one it is past the end of the text. */
function matchesLevels(levels: readonly string[], topic: string): boolean {
  let level = 0;
  let at = 0;
  let resumeLevel = -1;
  let resumeAt = 0;
  while (at <= topic.length) {
    const wanted = levels[level];
    if (wanted === ANY_LEVELS || wanted === SOME_LEVELS) {
      // Starts with the fewest levels and may take one more each time what follows does not fit.
      if (wanted === SOME_LEVELS) at = nextLevel(topic, at);
      resumeLevel = ++level;
      resumeAt = at;
    } else if (wanted !== undefined && isLevel(wanted, topic, at)) {
      level++;
      at = wanted === ONE_LEVEL ? nextLevel(topic, at) : at + wanted.length + 1;
    } else if (resumeLevel >= 0) {
      level = resumeLevel;
      at = resumeAt = nextLevel(topic, resumeAt);
    } else {
      return false;
    }
  }
  while (levels[level] === ANY_LEVELS) level++;
  return level === levels.length;
}

function isLevel(wanted: string, topic: string, at: number): boolean {
  if (wanted === ONE_LEVEL) return true;
  const end = at + wanted.length;
  return topic.startsWith(wanted, at) && (end === topic.length || isSeparator(topic, end));
}

function nextLevel(topic: string, from: number): number {
  let at = from;
  while (at < topic.length && !isSeparator(topic, at)) at++;
  return at + 1;
}

function isSeparator(topic: string, at: number): boolean {
  const code = topic.charCodeAt(at);
  return code === DOT || code === SLASH;
}

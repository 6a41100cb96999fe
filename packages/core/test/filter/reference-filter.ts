import { BlockList, isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Event } from '../../src/event/event.ts';
import { matchesPattern, parsePattern } from '../../src/topic/pattern.ts';

type Json = unknown;
type Fields = Record<string, Json>;
export interface Ids {
  readonly userIds: readonly string[];
  readonly projectIds: readonly string[];
  readonly sessionIds: readonly string[];
}

/**
 * What a filter means, written down as plainly as the documentation says it and without any thought of speed. It reads the
 * stored form; nothing of the evaluator is used but the patterns, which have a reference of their own.
 */
export function passes(filter: Fields, event: Event, context?: Ids): boolean {
  return passesClauses(filter, event, context, filter['criticalAlways'] === true);
}

function passesClauses(filter: Fields, event: Event, context: Ids | undefined, criticalAlways: boolean): boolean {
  const isCritical = event.priority === 0;
  return Object.entries(filter).every(([name, wanted]) => {
    const list = wanted as readonly Json[];
    switch (name) {
      case 'criticalAlways':
        return true;
      case 'priority':
        if (isCritical && criticalAlways) return true;
        return Array.isArray(wanted) ? wanted.includes(event.priority) : event.priority <= (wanted as number);
      case 'types':
      case 'includeTypes':
        return (isCritical && criticalAlways) || list.some((one) => isTopicLike(one, event.type));
      case 'excludeTypes':
        return (isCritical && criticalAlways) || !list.some((one) => isTopicLike(one, event.type));
      case 'topics':
        return list.some((one) => isTopicLike(one, event.topic));
      case 'sources':
        return list.some((one) => isText(one, event.source));
      case 'tags':
        return list.every((one) => hasTag(one, event.metadata.tags));
      case 'userRelevant':
        if (isCritical && criticalAlways) return true;
        return (
          isOneOf(event.metadata.userId, context?.userIds) || isOneOf(event.metadata.projectId, context?.projectIds)
        );
      case 'projectScoped':
        return (isCritical && criticalAlways) || isOneOf(event.metadata.projectId, context?.projectIds);
      case 'sessionScoped':
        return (isCritical && criticalAlways) || isOneOf(event.metadata.sessionId, context?.sessionIds);
      case 'excludeSystemEvents':
        return isCritical || !/^(system|metrics|log)[./]/.test(event.type);
      case 'excludeSystemHeartbeat':
        return (isCritical && criticalAlways) || slashed(event.type) !== 'system/heartbeat';
      case 'metadata':
      case 'payload': {
        const part = JSON.parse(JSON.stringify(event))[name] as Json;
        return Object.entries(wanted as Fields).every(([path, value]) => isWanted(value, at(part, path)));
      }
      case 'or':
        return list.some((one) => passesClauses(one as Fields, event, context, criticalAlways));
      default:
        throw new TypeError(`The reference does not know ${name}.`);
    }
  });
}

const slashed = (text: string) => text.replaceAll('.', '/');
const isOneOf = (id: string | undefined, ids: readonly string[] | undefined) =>
  id !== undefined && (ids === undefined || ids.includes(id));
const listed = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [value]);
const LIMITS = { topicCharactersMax: 500, topicLevelsMax: 32 };

function isTopicLike(wanted: Json, text: string): boolean {
  if (typeof wanted === 'string') return matchesPattern(parsePattern(wanted, LIMITS), slashed(text));
  return Object.entries(wanted as Fields).every(([name, operand]) =>
    name === 'anythingBut'
      ? !listed(operand).some((one) => isTopicLike(one, text))
      : listed(operand).some((one) => holds(name, slashed(one as string), slashed(text))),
  );
}

function isText(wanted: Json, text: string): boolean {
  if (typeof wanted === 'string') return wanted === text;
  return Object.entries(wanted as Fields).every(([name, operand]) =>
    name === 'anythingBut'
      ? !listed(operand).some((one) => isText(one, text))
      : listed(operand).some((one) => holds(name, one, text)),
  );
}

function hasTag(wanted: Json, tags: readonly string[]): boolean {
  if (typeof wanted === 'string') return tags.includes(wanted);
  const { anythingBut, ...others } = wanted as Fields;
  const isThere = Object.keys(others).length === 0 || tags.some((tag) => isText(others, tag));
  return (
    isThere && !(anythingBut !== undefined && tags.some((tag) => listed(anythingBut).some((one) => isText(one, tag))))
  );
}

const OPERATORS = [
  'equals',
  'prefix',
  'suffix',
  'equalsIgnoreCase',
  'wildcard',
  'anythingBut',
  'numeric',
  'cidr',
  'exists',
];

function isWanted(wanted: Json, found: Json): boolean {
  return listed(wanted).some((choice) => {
    const isObject = typeof choice === 'object' && choice !== null && !Array.isArray(choice);
    const names = isObject ? Object.keys(choice) : [];
    if (names.length > 0 && names.every((name) => OPERATORS.includes(name))) {
      return Object.entries(choice as Fields).every(([name, operand]) => holds(name, operand, found));
    }
    return found !== undefined && isDeepStrictEqual(choice, found);
  });
}

function holds(name: string, operand: Json, found: Json): boolean {
  switch (name) {
    case 'equals':
      return isDeepStrictEqual(operand, found);
    case 'exists':
      return (found !== undefined) === operand;
    case 'anythingBut':
      return found !== undefined && !listed(operand).some((one) => isWanted([one], found));
    case 'numeric':
      return typeof found === 'number' && comparisons(operand as Json[], found);
    default:
      return typeof found === 'string' && listed(operand).some((one) => holdsText(name, one as string, found));
  }
}

function holdsText(name: string, operand: string, found: string): boolean {
  switch (name) {
    case 'prefix':
      return found.slice(0, operand.length) === operand;
    case 'suffix':
      return found.length >= operand.length && found.slice(found.length - operand.length) === operand;
    case 'equalsIgnoreCase':
      return found.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return isWild(operand, found);
    case 'cidr': {
      const [address, bits] = operand.split('/') as [string, string];
      const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
      if (isIP(found) === 0 || (isIP(found) === 4) !== (family === 'ipv4')) return false;
      const block = new BlockList();
      block.addSubnet(address, Number(bits), family);
      return block.check(found, family);
    }
    default:
      throw new TypeError(`The reference does not know ${name}.`);
  }
}

/** Tries every length that a star can take. */
function isWild(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  if (text.slice(0, star) !== pattern.slice(0, star)) return false;
  const [rest, later] = [text.slice(star), pattern.slice(star + 1)];
  return Array.from({ length: rest.length + 1 }, (_, taken) => rest.slice(taken)).some((left) => isWild(later, left));
}

function comparisons([operator, bound, ...more]: Json[], found: number): boolean {
  const limit = bound as number;
  const holdsHere =
    (operator === '=' && found === limit) ||
    (operator === '<' && found < limit) ||
    (operator === '<=' && found <= limit) ||
    (operator === '>' && found > limit) ||
    (operator === '>=' && found >= limit);
  return holdsHere && (more.length === 0 || comparisons(more, found));
}

function at(part: Json, path: string): Json {
  const own = (value: Json, key: string) =>
    typeof value === 'object' && value !== null && Object.keys(value).includes(key)
      ? (value as Fields)[key]
      : undefined;
  const direct = own(part, path);
  return direct === undefined ? path.split('.').reduce<Json>(own, part) : direct;
}

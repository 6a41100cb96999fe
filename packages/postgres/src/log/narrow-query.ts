import { canonicalLevels, type EventQuery } from '@event-manager/core';

/** Conditions on the table `e`; `$n` continues behind the parameters that were there. */
export interface Narrowing {
  readonly conditions: readonly string[];
  readonly values: readonly unknown[];
}

/**
 * Translates a query into what the database can narrow by. Whatever it lets through is matched again against the record. With
 * `besideTopics` nothing is asked of topics, also not that they are no event of the bus itself.
 */
export function narrowQuery(query: EventQuery, parametersBefore: number, besideTopics = false): Narrowing {
  const conditions: string[] = [];
  const values: unknown[] = [];
  const add = (value: unknown, condition: (parameter: string) => string) => {
    values.push(value);
    conditions.push(condition(`$${parametersBefore + values.length}`));
  };
  const {
    topic = '#',
    types,
    sources,
    priorities,
    correlationId,
    causationIds,
    userId,
    projectId,
    fromMs,
    toMs,
  } = query;
  // A wildcard at the beginning never matches the bus's own events.
  if (!besideTopics && /^[+*#]/.test(topic)) conditions.push(`e.topic NOT LIKE '$%'`);
  addPatterns([topic], 'e.topic', add);
  if (types !== undefined) addPatterns(types, `translate(e.type, '.', '/')`, add);
  if (sources !== undefined) add(sources, (p) => `e.source = ANY (${p}::text[])`);
  if (priorities !== undefined) add(priorities, (p) => `e.priority = ANY (${p}::int[])`);
  if (correlationId !== undefined) add(correlationId, (p) => `e.correlation_id = ${p}`);
  // Of a body that JSONB cannot hold the column says nothing.
  if (causationIds !== undefined) {
    add(causationIds, (p) => `(e.causation_id = ANY (${p}::text[]) OR e.metadata IS NULL)`);
  }
  if (userId !== undefined) add(userId, (p) => `e.user_id = ${p}`);
  if (projectId !== undefined) add(projectId, (p) => `e.project_id = ${p}`);
  if (fromMs !== undefined) add(fromMs, (p) => `e.created_at >= ${timeOf(p)}`);
  if (toMs !== undefined) add(toMs, (p) => `e.created_at < ${timeOf(p)}`);
  return { conditions, values };
}

/** A time in milliseconds, given as a parameter. */
export function timeOf(parameter: string): string {
  return `timestamptz 'epoch' + ${parameter}::double precision * interval '1 millisecond'`;
}

/**
 * By what is literal before the first and behind the last wildcard. What begins with a literal is asked for as a range, too,
 * which the server looks up in its index: it does not for a list of LIKEs. Both let through as little as they can, because a
 * row that does not match takes the place of one that does.
 */
function addPatterns(
  texts: readonly string[],
  column: string,
  add: (value: unknown, condition: (parameter: string) => string) => void,
): void {
  const patterns = texts.map((text) => (isEverything(text) ? text : canonicalLevels(text)));
  if (patterns.some(isEverything)) return;
  if (!patterns.some((pattern) => /[+*#]/.test(pattern))) {
    add(patterns, (p) => `${column} = ANY (${p}::text[])`);
    return;
  }
  const parts = patterns.map(partsOf);
  const [only, another] = parts;
  if (another === undefined && only!.before !== '') {
    add(only!.before, (p) => `${column} >= ${p}::text`);
    // The character behind `/`: everything that goes on with a level stands before it.
    add(`${only!.before}0`, (p) => `${column} < ${p}::text`);
  }
  add(parts.flatMap(likesOf), (p) => `${column} LIKE ANY (${p}::text[])`);
}

function isEverything(pattern: string): boolean {
  return pattern === '#' || pattern === '*';
}

interface PatternParts {
  readonly before: string;
  readonly behind: string;
  /** There may be no level between the two: all that stands there is `#`. */
  readonly mayTouch: boolean;
  readonly isLiteral: boolean;
}

function partsOf(pattern: string): PatternParts {
  const levels = pattern.split('/');
  const first = levels.findIndex(isWild);
  if (first < 0) return { before: pattern, behind: '', mayTouch: false, isLiteral: true };
  const last = levels.findLastIndex(isWild);
  return {
    before: levels.slice(0, first).join('/'),
    behind: levels.slice(last + 1).join('/'),
    mayTouch: levels.slice(first, last + 1).every((level) => level === '#'),
    isLiteral: false,
  };
}

function likesOf({ before, behind, mayTouch, isLiteral }: PatternParts): string[] {
  const ends = [before, behind].filter((text) => text !== '').map(escapeLike);
  if (isLiteral || ends.length === 0) return [isLiteral ? ends.join('') : '%'];
  const apart = `${before === '' ? '' : `${escapeLike(before)}/`}%${behind === '' ? '' : `/${escapeLike(behind)}`}`;
  return mayTouch ? [ends.join('/'), apart] : [apart];
}

function isWild(level: string): boolean {
  return /^[+*#]$/.test(level);
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

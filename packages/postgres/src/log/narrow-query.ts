import { canonicalLevels, type EventQuery } from '@event-manager/core';

/** Conditions on the table `e`; `$n` continues behind the parameters that were there. */
export interface Narrowing {
  readonly conditions: readonly string[];
  readonly values: readonly unknown[];
}

/** Translates a query into what the database can narrow by. Whatever it lets through is matched again against the record. */
export function narrowQuery(query: EventQuery, parametersBefore: number): Narrowing {
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
  if (/^[+*#]/.test(topic)) conditions.push(`e.topic NOT LIKE '$%'`);
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
 * By what is literal before the first and behind the last wildcard; `a/#` also matches `a`, so no `/` is asked for there. What
 * begins with a literal is asked for as a range, which the server looks up in its index: it does not for a list of LIKEs.
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
  const [only, another] = patterns;
  const prefix = another === undefined ? literalBefore(only!) : '';
  const behind = textBehind(prefix);
  if (prefix !== '' && behind !== undefined) {
    add(prefix, (p) => `${column} >= ${p}::text`);
    add(behind, (p) => `${column} < ${p}::text`);
  }
  add(patterns.map(likePattern), (p) => `${column} LIKE ANY (${p}::text[])`);
}

function literalBefore(pattern: string): string {
  const levels = pattern.split('/');
  return levels.slice(0, levels.findIndex(isWild)).join('/');
}

/** The first text that sorts behind everything that begins with `prefix`, in the order of code points. */
function textBehind(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  const last = points.at(-1);
  // Behind these stand the halves of surrogate pairs, and nothing.
  if (last === undefined || last === 0xd7ff || last === 0x10ffff) return undefined;
  return String.fromCodePoint(...points.slice(0, -1), last + 1);
}

function isEverything(pattern: string): boolean {
  return pattern === '#' || pattern === '*';
}

function likePattern(pattern: string): string {
  const levels = pattern.split('/');
  const first = levels.findIndex(isWild);
  if (first < 0) return escapeLike(pattern);
  const last = levels.findLastIndex(isWild);
  return `${escapeLike(levels.slice(0, first).join('/'))}%${escapeLike(levels.slice(last + 1).join('/'))}`;
}

function isWild(level: string): boolean {
  return /^[+*#]$/.test(level);
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

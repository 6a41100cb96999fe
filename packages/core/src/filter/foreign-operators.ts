/**
 * What people write who know filters from elsewhere, or by a slip, and what is meant by it here. Taken for an object to compare
 * with, it would match nothing without anybody noticing.
 */
import { OPERATORS, type OperatorName, operatorName } from './operators.ts';

const KEY_CHARACTERS_MAX = 40;
/** Shorter names are too near to words that mean something else. */
const SLIP_CHARACTERS_MIN = 5;

const LIST = 'a list of values asks that';
const NUMERIC = 'numeric compares, as in {"numeric": [">=", 1, "<", 10]}';
const WILDCARD = 'wildcard is a text in which * is any run of characters; there are no regular expressions';

const MEANT: Readonly<Record<OperatorName, string>> = {
  equals: 'a value alone asks that, or equals',
  prefix: 'prefix asks that',
  suffix: 'suffix asks that',
  equalsIgnoreCase: 'equalsIgnoreCase asks that',
  wildcard: WILDCARD,
  anythingBut: 'anythingBut asks that, of one value or a list',
  numeric: NUMERIC,
  cidr: 'cidr asks that',
  exists: 'exists asks that, with true or false',
};

/** Names of MongoDB, Prisma, Hasura, Azure, Elasticsearch and JSON Schema, without case and signs. */
const ELSEWHERE: Readonly<Record<string, string>> = Object.fromEntries(
  (
    [
      [MEANT.equals, 'eq equal equalto is const term'],
      [MEANT.prefix, 'startswith beginswith startingwith'],
      [MEANT.suffix, 'endswith endingwith'],
      [MEANT.equalsIgnoreCase, 'iequals ieq ignorecase equalsinsensitive'],
      [MEANT.wildcard, 'contains includes like ilike glob match matches pattern regex regexp'],
      [MEANT.anythingBut, 'ne neq not noteq notequal notequals notequalto isnot nin notin noneof'],
      [LIST, 'in oneof anyof enum terms'],
      [NUMERIC, 'gt gte ge lt lte le greaterthan greaterthanorequals greaterthanorequal greaterthanorequalto'],
      [NUMERIC, 'lessthan lessthanorequals lessthanorequal lessthanorequalto between range inrange min max'],
      [NUMERIC, 'minimum maximum exclusiveminimum exclusivemaximum atleast atmost'],
      [MEANT.cidr, 'subnet insubnet ipmatch iprange'],
      [MEANT.exists, 'exist isset isnull isnullorundefined isnotnull notnull isdefined ispresent'],
    ] as const
  ).flatMap(([meant, names]) => names.split(' ').map((name) => [name, meant])),
);

/** In words, what a key would have to be for what it seems to ask; `undefined` for one that is an operator, or no word for one. */
export function meantBy(key: string): string | undefined {
  if (key.length > KEY_CHARACTERS_MAX || operatorName(key) !== undefined) return undefined;
  const word = key.toLowerCase().replace(/[^a-z]/g, '');
  const plain = word.replace(/^(?:string|number)/, '');
  for (const name of [word, plain]) if (Object.hasOwn(ELSEWHERE, name)) return ELSEWHERE[name];
  const near = OPERATORS.find((name) => isNear(word, name.toLowerCase()));
  if (near) return MEANT[near];
  return key.startsWith('$') ? `those there are: ${OPERATORS.join(', ')}` : undefined;
}

/**
 * The key by which an object seems to ask something instead of being a value: one that begins with `$`, or any where all keys
 * are operators of somewhere.
 */
export function foreignKeyOf(value: object): string | undefined {
  const keys = Object.keys(value);
  const marked = keys.find((key) => key.startsWith('$'));
  if (marked !== undefined) return marked;
  const foreign = keys.filter((key) => meantBy(key) !== undefined);
  const isAll = keys.every((key) => foreign.includes(key) || operatorName(key) !== undefined);
  return isAll ? foreign[0] : undefined;
}

/** Where inside a value such a key stands: keys from outside in, the last one it. */
export function foreignWithin(value: unknown): readonly (string | number)[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) {
    const key = foreignKeyOf(value);
    if (key !== undefined) return [key];
  }
  for (const [key, entry] of Object.entries(value)) {
    const found = foreignWithin(entry);
    if (found !== undefined) return [Array.isArray(value) ? Number(key) : key, ...found];
  }
  return undefined;
}

/** The same, but for one letter: left out, added, another one, or two of them the other way round. */
function isNear(word: string, name: string): boolean {
  if (word === name) return true;
  if (name.length < SLIP_CHARACTERS_MIN || Math.abs(word.length - name.length) > 1) return false;
  let same = 0;
  while (word[same] === name[same]) same++;
  const [left, wanted] = [word.slice(same), name.slice(same)];
  if (left.slice(1) === wanted || left === wanted.slice(1) || left.slice(1) === wanted.slice(1)) return true;
  return left[0] === wanted[1] && left[1] === wanted[0] && left.slice(2) === wanted.slice(2);
}

/**
 * The operators of a filter: their names in every spelling, and how one is told from a value. An object is an operator when
 * all of its keys are names of operators; every one of them has to hold.
 */
export const OPERATORS = [
  'equals',
  'prefix',
  'suffix',
  'equalsIgnoreCase',
  'wildcard',
  'anythingBut',
  'numeric',
  'cidr',
  'exists',
] as const;

export type OperatorName = (typeof OPERATORS)[number];

/** What a text may be asked: the names that stand in `types`, `topics`, `sources` and `tags`. */
export const TEXT_OPERATORS = ['prefix', 'suffix', 'equalsIgnoreCase', 'wildcard', 'anythingBut'] as const;

/** What may be denied as a whole by `anythingBut`, besides values. */
export const DENIABLE = ['prefix', 'suffix', 'equalsIgnoreCase', 'wildcard', 'numeric', 'cidr'] as const;

const NAMES: ReadonlySet<string> = new Set(OPERATORS);

/** The operator that a key in camelCase, snake_case or kebab-case names. */
export function operatorName(key: string): OperatorName | undefined {
  const name = key.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return NAMES.has(name) ? (name as OperatorName) : undefined;
}

/** `all`: an operator. `some`: neither that nor a value without doubt. */
export function operatorsIn(value: unknown): 'all' | 'some' | 'none' {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'none';
  const keys = Object.keys(value);
  const count = keys.filter((key) => operatorName(key) !== undefined).length;
  return count === 0 ? 'none' : count === keys.length ? 'all' : 'some';
}

/** Pointer to the first operator inside a value, where it would be compared letter by letter; as keys from outside in. */
export function operatorWithin(value: unknown): readonly (string | number)[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (operatorsIn(value) === 'all') return [];
  for (const [key, entry] of Object.entries(value)) {
    const found = operatorWithin(entry);
    if (found !== undefined) return [Array.isArray(value) ? Number(key) : key, ...found];
  }
  return undefined;
}

import { REDACTED } from './redacted.ts';
import { sanitizeText } from './sanitize-text.ts';
import { secretName } from './secret-names.ts';
import { beginsKey, endsKey } from './without-keys.ts';

/** How lists of settings and headers call a name, and the value beside it. */
const NAMES = ['name', 'key', 'k', 'header', 'field', 'param', 'variable', 'property', 'id', 'label', 'type', 'kind'];
const VALUES = ['value', 'val', 'v', 'content', 'data', 'text', 'default', 'current'];

const KEY_CHARACTERS_MAX = 80;

/** The same for a plain value: what stands under the name of a secret is gone, whatever it is, and every text is sanitized. */
export function sanitizeValue(value: unknown): unknown {
  if (typeof value === 'string') return sanitizeText(value);
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? sanitizeList(value) : sanitizeFields(value as Record<string, unknown>);
}

/** In headers and arguments a name is followed by its value: `["authorization", "…"]`, `["--password", "…"]`; keys by their lines. */
function sanitizeList(values: readonly unknown[]): unknown[] {
  let isValue = false;
  let isKey = false;
  return values.map((value) => {
    if (isKey && typeof value === 'string') {
      isKey = !endsKey(value);
      return REDACTED;
    }
    isKey = typeof value === 'string' && beginsKey(value);
    if (isValue && !isHarmless(value)) {
      isValue = false;
      return REDACTED;
    }
    isValue = typeof value === 'string' && isNameAlone(value);
    return sanitizeValue(value);
  });
}

function sanitizeFields(fields: Record<string, unknown>): Record<string, unknown> {
  const isPair = isNamedPair(fields);
  const sanitized: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    const named = secretName(key) ?? (isPair && VALUES.includes(key.toLowerCase()) ? 'one' : undefined);
    const told = named === undefined ? sanitizeValue(value) : withoutSecret(value, named);
    const name = freeName(sanitized, sanitizeKey(key));
    // By definition only where assigning would mean something else.
    if (name !== '__proto__') sanitized[name] = told;
    else Object.defineProperty(sanitized, name, { value: told, enumerable: true, configurable: true, writable: true });
  }
  return sanitized;
}

/** Names that have nothing left of what they were must not take each other's place. */
function freeName(taken: object, name: string): string {
  let free = name;
  for (let count = 2; Object.hasOwn(taken, free); count++) free = `${name} ${count}`;
  return free;
}

function isNamedPair(fields: Record<string, unknown>): boolean {
  for (const key in fields) {
    const value = fields[key];
    if (typeof value === 'string' && NAMES.includes(key.toLowerCase()) && secretName(value) !== undefined) return true;
  }
  return false;
}

/** The names of fields are few; those that a program makes of data must not fill the memory. */
const KNOWN_MAX = 2_000;
const known = new Map<string, string>();

function sanitizeKey(key: string): string {
  const found = known.get(key);
  if (found !== undefined) return found;
  const sanitized = sanitizeText(key);
  if (known.size < KNOWN_MAX && key.length <= KEY_CHARACTERS_MAX) known.set(key, sanitized);
  return sanitized;
}

function withoutSecret(value: unknown, named: 'one' | 'many'): unknown {
  if (isHarmless(value) || (named === 'many' && typeof value === 'number')) return value;
  return REDACTED;
}

function isHarmless(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'boolean' || value === '';
}

/** `--password`, `-token`, `Authorization`: a name and nothing else. */
function isNameAlone(text: string): boolean {
  return /^-{0,2}[A-Za-z][\w.-]{1,60}:?$/.test(text) && secretName(text) === 'one';
}

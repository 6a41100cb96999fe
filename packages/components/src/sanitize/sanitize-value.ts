import { REDACTED, sanitizeText } from './sanitize-text.ts';
import { secretName } from './secret-names.ts';

/** How lists of settings and headers call a name, and the value beside it. */
const NAMES = ['name', 'key', 'header', 'field', 'param', 'variable', 'property', 'id', 'label'];
const VALUES = ['value', 'val', 'content', 'data', 'text', 'default', 'current'];

/** The same for a plain value: what stands under the name of a secret is gone, whatever it is, and every text is sanitized. */
export function sanitizeValue(value: unknown): unknown {
  if (typeof value === 'string') return sanitizeText(value);
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? sanitizeList(value) : sanitizeFields(value as Record<string, unknown>);
}

/** In headers and arguments a name is followed by its value: `["authorization", "…"]`, `["--password", "…"]`. */
function sanitizeList(values: readonly unknown[]): unknown[] {
  let isValue = false;
  return values.map((value) => {
    if (isValue && !isHarmless(value)) {
      isValue = false;
      return REDACTED;
    }
    isValue = typeof value === 'string' && isNameAlone(value);
    return sanitizeValue(value);
  });
}

function sanitizeFields(fields: Record<string, unknown>): Record<string, unknown> {
  const isPair = NAMES.some((key) => typeof fields[key] === 'string' && secretName(fields[key]) !== undefined);
  const entries = Object.entries(fields).map(([key, value]): [string, unknown] => {
    const named = secretName(key) ?? (isPair && VALUES.includes(key.toLowerCase()) ? 'one' : undefined);
    return [sanitizeText(key), named === undefined ? sanitizeValue(value) : withoutSecret(value, named)];
  });
  return Object.fromEntries(entries);
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

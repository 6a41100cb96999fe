/*
 * Equality of JSON values by their texts, so that looking for one among many is one look into a set. The compiler's own
 * keywords compare every two items of a list, which takes an hour for a list of objects that fits into one event, and ask the
 * values themselves for `valueOf` and `constructor`, which are properties that a payload may have.
 */
import type { Effort } from './effort.ts';

const CHARACTERS_PER_STEP = 8;

/** True when no two items are the same value. */
export function hasUniqueItems(items: readonly unknown[], effort: Effort): boolean {
  if (items.length < 2) return true;
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonicalText(item);
    effort.spend(2 + text.length / CHARACTERS_PER_STEP);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
}

/** Makes the test whether a value is one of these. */
export function oneOfValues(values: readonly unknown[], effort: Effort): (value: unknown) => boolean {
  const simple = new Set<unknown>(values.filter(isSimple));
  const texts = new Set(values.filter((value) => !isSimple(value)).map(canonicalText));
  return (value) => {
    if (isSimple(value)) return simple.has(value);
    if (texts.size === 0) return false;
    const text = canonicalText(value);
    effort.spend(text.length / CHARACTERS_PER_STEP);
    return texts.has(text);
  };
}

function isSimple(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

/** The same text for equal values: keys in one order, and `-0` as `0`. */
function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  const fields = value as Readonly<Record<string, unknown>>;
  const parts = Object.keys(fields)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(fields[key])}`);
  return `{${parts.join(',')}}`;
}

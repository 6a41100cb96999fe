import type { Effort } from './effort.ts';

/**
 * True when no two items are the same JSON value. By their texts, so the work grows with the list; the compiler's own keyword
 * compares every two items, which takes an hour for a list of objects that fits into one event.
 */
export function hasUniqueItems(items: readonly unknown[], effort: Effort): boolean {
  if (items.length < 2) return true;
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonicalText(item);
    effort.spend(2 + text.length / 8);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
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

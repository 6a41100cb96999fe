const DEPTH_MAX = 6;
const ENTRIES_MAX = 100;
const VALUES_MAX = 1_000;
const CHARACTERS_MAX = 4_096;
/** Of all texts of one value. */
const ALL_CHARACTERS_MAX = 16_384;
const UNREADABLE = '[unreadable]';
const MORE = '[more]';

/**
 * A plain copy of a value as it is now, within bounds: the event leaves later, when the program may have changed it. What cannot
 * be JSON becomes a word. Does no more than a thousand small steps, whatever it is given, and never throws.
 */
export function capture(value: unknown): unknown {
  return new Copy().of(value, 0);
}

/** The same, and how many characters it takes. */
export function captureMeasured(value: unknown): { readonly captured: unknown; readonly characters: number } {
  const copy = new Copy();
  return { captured: copy.of(value, 0), characters: copy.characters };
}

class Copy {
  /** Of the names and texts that were taken. */
  characters = 0;
  #left = VALUES_MAX;
  readonly #above = new Set<object>();

  of(value: unknown, depth: number): unknown {
    if (this.#left-- <= 0) return MORE;
    if (typeof value === 'string') return this.#text(value);
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'bigint') return cut(String(value));
    if (typeof value !== 'object') return value === undefined ? undefined : `[${typeof value}]`;
    if (depth >= DEPTH_MAX) return MORE;
    if (this.#above.has(value)) return '[circular]';
    this.#above.add(value);
    try {
      return this.#object(value, depth + 1);
    } catch {
      return UNREADABLE;
    } finally {
      this.#above.delete(value);
    }
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? UNREADABLE : value.toISOString();
    if (value instanceof Error) return this.#fields({ ...value, name: value.name, message: value.message }, depth);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    if (value instanceof URL || value instanceof RegExp) return cut(String(value));
    if (value instanceof Map) return this.#fields(Object.fromEntries(first(value.entries())), depth);
    if (value instanceof Set) return this.#list([...first(value.values())], depth);
    if (Array.isArray(value)) return this.#list(value, depth);
    return this.#fields(value as Record<string, unknown>, depth);
  }

  #list(values: readonly unknown[], depth: number): unknown[] {
    const copied = values.slice(0, ENTRIES_MAX).map((each) => this.of(each, depth) ?? null);
    return values.length > ENTRIES_MAX ? [...copied, MORE] : copied;
  }

  #fields(value: Record<string, unknown>, depth: number): Record<string, unknown> {
    const copied: Record<string, unknown> = {};
    let entries = 0;
    for (const key in value) {
      if (!Object.hasOwn(value, key)) continue;
      if (++entries > ENTRIES_MAX) {
        copied[MORE] = true;
        break;
      }
      const copy = this.#field(value, key, depth);
      if (copy === undefined) continue;
      // A bus takes no event with such a key, and the rest of it is worth telling.
      copied[key === '__proto__' ? '[__proto__]' : this.#text(key)] = copy;
    }
    return copied;
  }

  #text(text: string): string {
    const taken = this.characters >= ALL_CHARACTERS_MAX ? MORE : cut(text);
    this.characters += taken.length;
    return taken;
  }

  /** A getter may throw; the fields beside it are worth telling. */
  #field(value: Record<string, unknown>, key: string, depth: number): unknown {
    try {
      return this.of(value[key], depth);
    } catch {
      return UNREADABLE;
    }
  }
}

function* first<T>(values: Iterable<T>): Generator<T> {
  let left = ENTRIES_MAX;
  for (const value of values) {
    if (left-- <= 0) return;
    yield value;
  }
}

/**
 * Cuts between words, so that no half of a secret is left that nobody would take for one. A word that is as long as that is none. Half
 * surrogates become what JSON can hold.
 */
export function cut(text: string): string {
  if (text.length <= CHARACTERS_MAX) return text.toWellFormed();
  const space = text.lastIndexOf(' ', CHARACTERS_MAX);
  return `${text.slice(0, Math.max(0, space)).toWellFormed()} [${text.length - Math.max(0, space)} more characters]`;
}

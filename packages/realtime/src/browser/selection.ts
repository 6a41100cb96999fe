import { DEFAULT_LIMITS, EventManagerError, matchesPattern, type Pattern, parsePattern } from '@event-manager/core';

/** As many as a filter may list. */
const TYPES_MAX = 1_000;
/** Event types that are remembered with whether they are wanted. */
const KNOWN_MAX = 1_000;

/**
 * What one page wants to see. Until it first says what that is, everything; taking types away from everything leaves the rest.
 * A type is meant by the name that pages read, or by the one that it has on the bus.
 */
export class Selection {
  #wanted: ReadonlyMap<string, Pattern> | undefined;
  #unwanted: ReadonlyMap<string, Pattern> = new Map();
  readonly #known = new Map<string, boolean>();

  /** The first one takes the place of everything, later ones add. Throws `invalid_pattern`, `invalid_request`. */
  subscribe(types: readonly string[]): void {
    const wanted = new Map([...(this.#wanted ?? []), ...patternsOf(types)]);
    assertFew(wanted);
    this.#wanted = wanted;
    this.#unwanted = new Map();
    this.#known.clear();
  }

  /** Throws the same. */
  unsubscribe(types: readonly string[]): void {
    const unwanted = patternsOf(types);
    if (this.#wanted) {
      this.#wanted = new Map([...this.#wanted].filter(([text]) => !unwanted.has(text)));
    } else {
      const all = new Map([...this.#unwanted, ...unwanted]);
      assertFew(all);
      this.#unwanted = all;
    }
    this.#known.clear();
  }

  /** As a page is told. */
  get told(): { readonly eventTypes: readonly string[]; readonly except?: readonly string[] } {
    if (this.#wanted) return { eventTypes: [...this.#wanted.keys()] };
    const except = [...this.#unwanted.keys()];
    return { eventTypes: ['#'], ...(except.length === 0 ? {} : { except }) };
  }

  wants(shown: string, type: string): boolean {
    const key = `${shown}\n${type}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const isWanted = this.#judge(shown, type);
    if (this.#known.size >= KNOWN_MAX) this.#known.clear();
    this.#known.set(key, isWanted);
    return isWanted;
  }

  #judge(shown: string, type: string): boolean {
    const means = (pattern: Pattern) =>
      matchesPattern(pattern, shown) || (shown !== type && matchesPattern(pattern, type));
    return this.#wanted ? [...this.#wanted.values()].some(means) : ![...this.#unwanted.values()].some(means);
  }
}

function patternsOf(types: readonly string[]): Map<string, Pattern> {
  return new Map(types.map((type, index) => [type, parsePattern(type, DEFAULT_LIMITS, `/eventTypes/${index}`)]));
}

function assertFew(types: ReadonlyMap<string, Pattern>): void {
  if (types.size <= TYPES_MAX) return;
  const words = `A page names at most ${TYPES_MAX} event types.`;
  throw new EventManagerError('invalid_request', words, { pointer: '/eventTypes', limit: TYPES_MAX });
}

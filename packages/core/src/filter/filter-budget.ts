import { EventManagerError } from '../errors/event-manager-error.ts';
import type { Limits } from '../limits.ts';

/** On values and tags: each goes through the whole of a long text, or through a hundred of them. Types, topics and sources are short. */
const WILDCARDS_MAX = 100;

/** Objects that a value is compared with as a whole: each counts the fields of the event's object, which may be the whole event. */
const OBJECTS_MAX = 30;

/** How much a filter may still hold: every list entry and every JSON value counts, its alternatives included. */
export class FilterBudget {
  readonly limits: Limits;
  #entries: number;
  #wildcards = WILDCARDS_MAX;
  #objects = OBJECTS_MAX;

  constructor(limits: Limits) {
    this.limits = limits;
    this.#entries = limits.filterEntriesMax;
  }

  spend(entries: number, pointer: string): void {
    this.#entries -= entries;
    if (this.#entries >= 0) return;
    const maximum = this.limits.filterEntriesMax;
    const words = `The filter is too large: it holds more than ${maximum} values, every one in its lists counted.`;
    throw new EventManagerError('invalid_filter', words, { pointer, limit: 'filterEntriesMax', maximum });
  }

  spendWildcard(pointer: string): void {
    if (this.#wildcards-- > 0) return;
    const words = `The filter is too large: it holds more than ${WILDCARDS_MAX} wildcards on values and tags.`;
    throw new EventManagerError('invalid_filter', words, { pointer, maximum: WILDCARDS_MAX });
  }

  spendObjects(count: number, pointer: string): void {
    this.#objects -= count;
    if (this.#objects >= 0) return;
    const words = `The filter is too large: it compares with more than ${OBJECTS_MAX} objects.`;
    throw new EventManagerError('invalid_filter', words, { pointer, maximum: OBJECTS_MAX });
  }

  /** The size of what is kept. */
  assertSize(filter: object, pointer: string): void {
    const maximum = this.limits.filterCharactersMax;
    const { length } = JSON.stringify(filter);
    if (length <= maximum) return;
    const words = `The filter is too large: it has ${length} characters of JSON, and at most ${maximum} are allowed.`;
    throw new EventManagerError('invalid_filter', words, { pointer, limit: 'filterCharactersMax', maximum });
  }
}

export function invalidFilter(message: string, pointer: string): EventManagerError {
  return new EventManagerError('invalid_filter', message, { pointer });
}

import { EventManagerError, isEventManagerError } from '../errors/event-manager-error.ts';
import type { Event } from '../event/event.ts';
import { checkJson } from '../json/check-json.ts';
import type { JsonValue } from '../json.ts';
import { assertPlainAnswer } from './assert-plain-answer.ts';
import type { ParsedProjection } from './parse-projection.ts';
import type { ChangedStates } from './projection-records.ts';

/** One state as JSON, in characters: as much as the largest event. */
export const STATE_CHARACTERS_MAX = 256 * 1024;
/** States of one projection: a store may have their keys in memory. */
export const STATES_MAX = 100_000;
const KEY_CHARACTERS_MAX = 255;
const DEPTH_MAX = 64;
/** What one commit writes, about. */
const COMMIT_CHARACTERS = 4 * 1024 * 1024;
const CHANGED_MAX = 1_000;
const CHANGED_MIN = 16;
/** States that are in memory without need, so that a key that comes again is not read again. */
const CACHED_MAX = 10_000;

/**
 * The states of a projection in memory: those that changed since they were kept, and some that did not. `apply` may change a
 * state in place, so nobody outside gets hold of one, and after a failure all of them are forgotten.
 */
export class FoldedStates {
  readonly #definition: ParsedProjection;
  /** `undefined` for a key that is known to have no state. */
  readonly #states = new Map<string, unknown>();
  /** With the last event that changed each. */
  readonly #changed = new Map<string, string>();
  #count: number;
  /** Characters of the largest that was kept; nobody knows before the first commit. */
  #largest = 0;

  /** `count` states are kept. */
  constructor(definition: ParsedProjection, count: number) {
    this.#definition = definition;
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  /** So many changed that they should be kept before another one does. */
  get isFull(): boolean {
    const most = Math.floor(COMMIT_CHARACTERS / (this.#largest || STATE_CHARACTERS_MAX));
    return this.#changed.size >= Math.min(CHANGED_MAX, Math.max(CHANGED_MIN, most));
  }

  knows(key: string): boolean {
    return this.#states.has(key);
  }

  /** As it is kept. */
  put(key: string, state: JsonValue | undefined): void {
    this.#states.set(key, state);
  }

  /** A copy. */
  get(key: string): unknown {
    return structuredClone(this.#states.get(key));
  }

  /** Makes room; only between two pieces of the log, since their states were read together. */
  trim(): void {
    if (this.#states.size <= CACHED_MAX) return;
    for (const key of this.#states.keys()) if (!this.#changed.has(key)) this.#states.delete(key);
  }

  /** The state of the key must be known. Throws what the program's own functions throw. */
  apply(key: string, event: Event): void {
    const { initial, apply } = this.#definition;
    const before = this.#states.get(key);
    const state = before === undefined ? initial() : before;
    const answer = apply(state, event);
    assertPlainAnswer(answer);
    const after = answer === undefined ? state : answer === null ? undefined : answer;
    this.#states.set(key, after);
    this.#changed.set(key, event.id);
    if ((before === undefined) !== (after === undefined)) this.#count += after === undefined ? -1 : 1;
  }

  /** Throws `projection_too_large`. */
  assertSize(): void {
    if (this.#count <= STATES_MAX) return;
    const { name } = this.#definition;
    throw new EventManagerError('projection_too_large', `A projection has at most ${STATES_MAX} states.`, { name });
  }

  /** What is to be kept, as JSON. Throws `projection_too_large`, and `invalid_json` for what JSON cannot hold. */
  changed(): ChangedStates {
    const changed = new Map<string, JsonValue | undefined>();
    for (const [key, eventId] of this.#changed) {
      const state = this.#states.get(key);
      if (state === undefined) {
        changed.set(key, undefined);
        continue;
      }
      const text = this.#textOf(state, { key, eventId });
      this.#largest = Math.max(this.#largest, text.length);
      changed.set(key, JSON.parse(text) as JsonValue);
    }
    return changed;
  }

  /** What is kept later than it was folded is known to be wrong behind the last event alone. */
  #textOf(state: unknown, of: { readonly key: string; readonly eventId: string }): string {
    const { name, isKeyed } = this.#definition;
    const which = `The state of the projection ${name}${isKeyed ? ` of the key ${of.key}` : ''} behind event ${of.eventId}`;
    const details = { name, ...(isKeyed ? { key: of.key } : {}), eventId: of.eventId };
    try {
      checkJson(state, { depthMax: DEPTH_MAX, pointer: '', code: 'invalid_json' });
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      const { pointer } = error.details;
      const place = pointer === undefined || pointer === '' ? '' : ` (at ${pointer})`;
      const words = `${which} is nothing that JSON can hold: ${error.message}${place}`;
      throw new EventManagerError(error.code, words, { ...error.details, ...details }, error);
    }
    const text = JSON.stringify(state);
    if (text.length <= STATE_CHARACTERS_MAX) return text;
    const words = `${which} has ${text.length} characters of JSON; at most ${STATE_CHARACTERS_MAX} are allowed.`;
    throw new EventManagerError('projection_too_large', words, details);
  }

  /** They are kept: from now on memory has them as the store has, so that it does not matter who folds on. */
  kept(changed: ChangedStates): void {
    for (const [key, state] of changed) this.#states.set(key, state);
    this.#changed.clear();
  }
}

/** Throws `TypeError`. */
export function assertStateKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && key.length <= KEY_CHARACTERS_MAX && !key.includes('\0') && key.isWellFormed()) return;
  throw new TypeError(`The key of a state is a text of at most ${KEY_CHARACTERS_MAX} characters without NUL.`);
}

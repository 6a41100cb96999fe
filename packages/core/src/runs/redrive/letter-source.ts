import type { StateEntry, StateStore } from '../../contracts/state-store.ts';
import type { DeadLetter } from '../../dispatch/dead-letter.ts';
import { asSeen } from '../../dispatch/superseded.ts';
import type { JsonObject } from '../../json.ts';
import { compileSelection, type LetterSelection } from './letter-selection.ts';

/** Where a part goes on: behind a key, or at one of the keys that were named. */
export interface LetterCursor {
  /** Named ones that are left; absent where a selection is looked for. */
  readonly keys?: readonly string[];
  readonly after?: string;
  /** What the one letter that is named is delivered with. */
  readonly event?: string;
}

/** A letter that is meant, and where to go on behind it. */
export interface FoundLetter {
  readonly key: string;
  readonly letter: DeadLetter;
  readonly next: LetterCursor;
}

export interface FoundLetters {
  readonly found: readonly FoundLetter[];
  /** Where to go on behind all that was looked at; `undefined` when there is nothing more. */
  readonly next: LetterCursor | undefined;
  /** What was read for that: letters, and bytes of their events. */
  readonly looked: number;
  readonly bytes: number;
}

/** Finds the letters of one subscription that a run means, those that died again in the same run left out. */
export class LetterSource {
  readonly #state: StateStore;
  readonly #prefix: string;
  readonly #runId: string;
  readonly #isMeant: (letter: DeadLetter) => boolean;

  constructor(options: { state: StateStore; subscriptionId: string; runId: string; selection: LetterSelection }) {
    const { state, subscriptionId, runId, selection } = options;
    this.#state = state;
    this.#prefix = `${subscriptionId}/`;
    this.#runId = runId;
    this.#isMeant = compileSelection({ ...selection, state: 'open' });
  }

  /** Looks at up to `most` letters from the cursor on. */
  async look(cursor: LetterCursor, most: number): Promise<FoundLetters> {
    return cursor.keys ? this.#named(cursor, cursor.keys, most) : this.#selected(cursor, most);
  }

  /** Those that are named are found in any state, superseded ones as what they were: it is said why nothing is done with them. */
  async #named(cursor: LetterCursor, keys: readonly string[], most: number): Promise<FoundLetters> {
    const { event: _event, ...rest } = cursor;
    const entries = await this.#state.get('dead-letter', keys.slice(0, most));
    const found = entries.flatMap((entry, at) => {
      const next = { ...rest, keys: keys.slice(at + 1) };
      return entry ? [{ key: keys[at]!, letter: entry.value as unknown as DeadLetter, next }] : [];
    });
    const behind = keys.length <= most ? undefined : { ...rest, keys: keys.slice(most) };
    return { found, next: behind, ...read(entries) };
  }

  async #selected({ after, ...rest }: LetterCursor, most: number): Promise<FoundLetters> {
    const behind = after === undefined ? {} : { after };
    const { entries, next } = await this.#state.load('dead-letter', { prefix: this.#prefix, ...behind, limit: most });
    const letters = await asSeen(
      this.#state,
      entries.map(({ value }) => value as unknown as DeadLetter),
    );
    const found = entries.flatMap(({ key }, at) => {
      const letter = letters[at]!;
      const isMeant = letter.redriven?.runId !== this.#runId && this.#isMeant(letter);
      return isMeant ? [{ key, letter, next: { ...rest, after: key } }] : [];
    });
    return { found, next: next === undefined ? undefined : { ...rest, after: next }, ...read(entries) };
  }
}

function read(entries: readonly (StateEntry | undefined)[]): Pick<FoundLetters, 'looked' | 'bytes'> {
  const sizes = entries.map((entry) => (entry ? (entry.value as unknown as DeadLetter).event.length : 0));
  return { looked: entries.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

export function cursorOf(at: JsonObject): LetterCursor {
  return at as LetterCursor;
}

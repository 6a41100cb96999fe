import type { Event } from '../event/event.ts';
import type { FilterIn } from '../filter/filter-in.ts';
import type { GapCause } from '../stream/event-stream.ts';

/**
 * How events become state. `apply` is a plain fold: the same events in the same order give the same state, whatever the time
 * and whoever folds, because after a crash the last of them are folded again.
 */
export interface ProjectionDefinition<State, Received = Event> {
  /** Letters, digits, `.`, `_`, `-` and `:`, 100 characters at most. Under it the state is kept. */
  readonly name: string;
  /** A whole number from 1 on, 1 when absent. A greater one than the state was made with folds anew from the start of the log. */
  readonly version?: number | undefined;
  /** Topic pattern; `#` when absent. */
  readonly topic?: string | undefined;
  /** What else an event must be, as in a subscription. */
  readonly filter?: FilterIn | undefined;
  /** One state for each key that this names; an event for which it returns `undefined` is passed over. Without it one state for all. */
  readonly key?: ((event: Received) => string | undefined) | undefined;
  /** The state before the first event: JSON, or what makes it. */
  readonly initial: State | (() => State);
  /** Returns the state behind the event; nothing to leave it as it is now, changed in place or not; `null` to forget it. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function without a return is what changes a state in place.
  readonly apply: (state: State, event: Received) => State | null | undefined | void;
  /** Events that are folded until the state is kept again; 1,000 when absent. It is kept a second after the last event, too. */
  readonly snapshotEvery?: number | undefined;
}

/**
 * - `folding`: this process folds;
 * - `following`: another one does, and this one reads what that one keeps;
 * - `failed`: `apply` or `key` threw, or the state cannot be kept: `error` says what;
 * - `closed`.
 */
export type ProjectionStatus = 'folding' | 'following' | 'failed' | 'closed';

/** Events that were not there any more when their turn came: the state is a fold of the others. */
export interface ProjectionGap {
  readonly cause: Exclude<GapCause, 'ahead'>;
  readonly from: number;
  readonly through: number;
}

/** A projection as whoever asked for it holds it. */
export interface Projection<State> extends AsyncDisposable {
  readonly name: string;
  readonly version: number;
  readonly status: ProjectionStatus;
  /** Why it failed, and what keeps the store from answering now. */
  readonly error: Error | undefined;
  /** Everything up to this cursor is folded into what this process shows. */
  readonly position: string;
  readonly gaps: readonly ProjectionGap[];
  /** A copy of the state, as far as this process has it. Throws `TypeError` for a projection with keys. */
  readonly state: State;
  /**
   * A copy of the state of a key, `undefined` when it has none; without a key the one state of a projection that has no keys.
   * Where another process folds, what that one kept last.
   */
  get(key?: string): Promise<State | undefined>;
  /** The keys that have a state, in their order, a page at a time; `after` continues behind a key. */
  keys(options?: { readonly after?: string; readonly limit?: number }): Promise<readonly string[]>;
  /** Resolves when every event acknowledged so far is folded and kept. Rejects with what ended the projection. */
  caughtUp(): Promise<void>;
  /** Forgets the state and folds anew from the start of the log. Resolves when that has begun. Throws `lease_lost` where another process folds. */
  rebuild(): Promise<void>;
  /** Keeps the state and stops; another process may go on. */
  close(): Promise<void>;
}

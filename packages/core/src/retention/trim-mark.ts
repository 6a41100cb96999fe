/**
 * Up to where the log is being removed, where several processes share it.
 *
 * Whoever removes events looks first who is owed them. A reset at another process may come after that look and before the events
 * go, and what it owes would be lost without a word. So both write this record, each over the revision that it read before:
 *
 *     remove:  read ─▶ look who is owed ─▶ write, with the position up to where ─▶ the events go
 *     reset:   read ─▶ the place to go on behind, at least that position ─▶ write, in the commit that moves the progress
 *
 * Of two that meet one is refused, and begins anew: a removal that was refused looks again and finds what the reset owes; a reset that
 * was refused goes on behind what is being removed, as it would have done a moment later. After a crash between the write and the
 * removal the events are still there and nobody is owed them; they go with the next look.
 *
 * A store of one process has no such record: a full disk takes none, and has room again by what is removed. There both are told
 * apart in memory (`TrimHere`), with the same outcome: nothing is removed while a reset is on its way.
 */
import type { Partition, Position } from '../contracts/event-store.ts';
import type { Lease, Revision, StateChange, StateStore } from '../contracts/state-store.ts';

export interface TrimMark {
  readonly through: Position;
  readonly revision: Revision;
}

export async function readTrimMark(state: Pick<StateStore, 'get'>, partition: Partition): Promise<TrimMark> {
  const [kept] = await state.get('audit', [trimMarkKey(partition)]);
  const { through = 0 } = (kept?.value ?? {}) as { readonly through?: Position };
  return { through, revision: kept?.revision ?? 0 };
}

/** Refused with `revision_conflict` when somebody else wrote it since `mark` was read. */
export function trimMarkChange(partition: Partition, mark: TrimMark, lease?: Lease): StateChange {
  const { through, revision: ifRevision } = mark;
  return { kind: 'audit', key: trimMarkKey(partition), value: { through }, ifRevision, ...(lease ? { lease } : {}) };
}

export function trimMarkKey(partition: Partition): string {
  return `trim/${partition}`;
}

/** The same within the one process of a store. */
export class TrimHere {
  /** Up to here the log is being removed. */
  through: Position = 0;
  #resets = 0;
  #underWay = 0;

  /** Says of a look that began now whether it is out of date: a reset was on its way since, and may owe what it found free. */
  look(): () => boolean {
    const before = this.#resets;
    const isEarly = this.#underWay > 0;
    return () => isEarly || this.#resets > before;
  }

  /** From before a reset looks where it may go on until that is durable, or refused. */
  async resetting<T>(reset: () => Promise<T>): Promise<T> {
    this.#resets++;
    this.#underWay++;
    try {
      return await reset();
    } finally {
      this.#underWay--;
    }
  }
}

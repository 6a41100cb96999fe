/**
 * Sees to it that progress is only written over what this process itself read or wrote.
 *
 * A lease says who serves a subscription of that name. It does not say which: another process may remove a subscription and
 * make one of the same name while this one holds the lease and has not looked yet, and what is committed for the old one then
 * would settle events that the new one is owed. So each commit expects the revision of the one before it.
 *
 * A commit that failed may be durable all the same: what it said is kept until one succeeds, so that finding it in the store
 * is no surprise. The values are few, since a queue that nothing of becomes durable soon has nothing new to say.
 */
import type { Revision, StateEntry, StateStore } from '../contracts/state-store.ts';
import type { JsonValue } from '../json.ts';

export class ProgressGuard {
  #revision: Revision;
  readonly #unsure = new Set<string>();

  constructor(found: StateEntry | undefined) {
    this.#revision = found?.revision ?? 0;
  }

  /** What the next commit expects. */
  get revision(): Revision {
    return this.#revision;
  }

  committed(revision: Revision): void {
    this.#revision = revision;
    this.#unsure.clear();
  }

  /** Nobody knows whether this was written. */
  notCommitted(value: JsonValue): void {
    this.#unsure.add(JSON.stringify(value));
  }

  /** True when what another revision was found of was written here: the next commit expects that. */
  takes(found: StateEntry | undefined): boolean {
    if (!found || !this.#unsure.has(JSON.stringify(found.value))) return false;
    this.committed(found.revision);
    return true;
  }
}

/** True unless the subscription was removed; one that was made again under its name is another one. */
export async function isStillThere(
  state: StateStore,
  { id, createdAtMs }: { readonly id: string; readonly createdAtMs: number },
): Promise<boolean> {
  const [found] = await state.get('subscription', [id]);
  const { value } = found ?? {};
  return (value as { readonly createdAtMs?: number } | undefined)?.createdAtMs === createdAtMs;
}

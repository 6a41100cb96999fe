import { EventManagerError, GroupLoop, type Revision, type StateChange } from '@event-manager/core';
import { commitValues, type EncodedCommit, encodeCommit } from './encode-commit.ts';
import type { StateCore } from './state-core.ts';

/** Of one transaction. */
const LIMITS = { countMax: 256, bytesMax: 8 << 20 };

interface Call {
  readonly commit: EncodedCommit;
  readonly count: number;
  readonly bytes: number;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

/** What `commit_state` says about one commit. */
type CommitOutcome =
  | { readonly lost: readonly string[] }
  /** Which change of the transaction, from 1, found another revision, and which. */
  | { readonly conflict: number; readonly revision: Revision }
  | { readonly revision: Revision };

/**
 * Commits in the order of calling, in transactions of many commits, each with its own conditions. Transactions are numbered, so that one whose answer was lost can be sent again: the server knows the
 * number and repeats its answer, and refuses a number that is behind. A transaction that was given up by its deadline may
 * therefore still arrive until the next one did, and never after it.
 */
export class CommitLoop {
  readonly #core: StateCore;
  readonly #committer: string;
  readonly #loop: GroupLoop<Call>;
  #number = 0;

  /** `committer` is a UUID that no other process ever uses. */
  constructor(core: StateCore, committer: string) {
    this.#core = core;
    this.#committer = committer;
    this.#loop = new GroupLoop(core.connections, LIMITS, (calls, withinMs) => this.#commitCalls(calls, withinMs));
  }

  async commit(changes: readonly StateChange[]): Promise<Revision> {
    const commit = encodeCommit(changes);
    return new Promise((resolve, reject) => {
      this.#loop.add({ commit, count: 1, bytes: commit.characters, resolve, reject });
    });
  }

  /** Waits until every call is answered; nobody will ask again what became of the last one. */
  async close(): Promise<void> {
    await this.#loop.close();
    const { connections, schema } = this.#core;
    await connections
      .ask(`DELETE FROM ${schema}.state_committers WHERE committer = $1`, [this.#committer])
      .catch(() => {});
  }

  async #commitCalls(calls: readonly Call[], withinMs: number): Promise<void> {
    const outcomes = await this.#send(
      calls.map(({ commit }) => commit),
      withinMs,
    );
    const changes = calls.flatMap(({ commit }) => commit.changes);
    for (const [at, { resolve, reject }] of calls.entries()) {
      const outcome = outcomes[at]!;
      if ('lost' in outcome) reject(leaseLost(outcome.lost));
      else if ('conflict' in outcome) reject(revisionConflict(changes[outcome.conflict - 1]!, outcome.revision));
      else resolve(outcome.revision);
    }
  }

  async #send(commits: readonly EncodedCommit[], withinMs: number): Promise<readonly CommitOutcome[]> {
    const { connections, schema, announcer } = this.#core;
    const parameters = Array.from({ length: 13 }, (_, at) => `$${at + 1}`).join(', ');
    const { rows } = await connections.askCounted<{ outcomes: string | null }>(
      `SELECT ${schema}.commit_state(${parameters}) AS outcomes`,
      [this.#committer, ++this.#number, ...commitValues(commits)],
      withinMs,
    );
    if (commits.some(({ isOfInterest }) => isOfInterest)) announcer.announce();
    const [row] = rows;
    if (row!.outcomes === null) throw new EventManagerError('internal', 'A commit came behind a later one.');
    return JSON.parse(row!.outcomes) as CommitOutcome[];
  }
}

function leaseLost(resources: readonly string[]): EventManagerError {
  const message = `The lease of ${resources.join(', ')} is not held any more.`;
  return new EventManagerError('lease_lost', message, { resources });
}

function revisionConflict({ kind, key, ifRevision }: EncodedCommit['changes'][number], revision: Revision) {
  const message = `${kind} ${key} is at revision ${revision}, not ${ifRevision}.`;
  return new EventManagerError('revision_conflict', message, { kind, key, revision });
}

import { EventManagerError, GroupLoop, type Revision, type StateChange } from '@event-manager/core';
import { COMMIT_STATE, FORGET_COMMITTER } from '../lua/commit-state.ts';
import { type EncodedCommit, encodeCommit } from './encode-commit.ts';
import type { StateCore } from './state-core.ts';

/** Of one script: everybody else waits for some milliseconds. */
const LIMITS = { countMax: 256, bytesMax: 4 << 20 };
const RETRY_AFTER_MS = 1_000;
/** Others forget it in time if it takes longer. */
const FORGET_MS = 500;

interface Call {
  readonly commit: EncodedCommit;
  readonly count: number;
  readonly bytes: number;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

/** What `COMMIT_STATE` says about one commit. */
type CommitOutcome =
  | { readonly lost: readonly string[] }
  /** Which change of the commit, from 1, found another revision, and which. */
  | { readonly conflict: number; readonly revision: string }
  | { readonly full: true }
  | { readonly revision: string };

/**
 * Commits in the order of calling, in scripts of many commits, each with its own conditions. Scripts are numbered, so that one
 * whose answer was lost can be sent again: the server knows the number and repeats its answer, and refuses a number that is behind. A
 * script that was given up by its deadline may therefore still arrive until the next one did, and never after it.
 */
export class CommitLoop {
  readonly #core: StateCore;
  readonly #loop: GroupLoop<Call>;
  #number = 0;

  constructor(core: StateCore) {
    this.#core = core;
    const send = (calls: readonly Call[], withinMs: number) => this.#commitCalls(calls, withinMs);
    this.#loop = new GroupLoop(core.connection.connection, LIMITS, send);
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
    const { connection, self } = this.#core;
    if (this.#number > 0) await connection.askWithin(FORGET_MS, FORGET_COMMITTER, [self]).catch(() => {});
  }

  async #commitCalls(calls: readonly Call[], withinMs: number): Promise<void> {
    const outcomes = await this.#send(
      calls.map(({ commit }) => commit),
      withinMs,
    );
    for (const [at, { commit, resolve, reject }] of calls.entries()) {
      const outcome = outcomes[at]!;
      if ('lost' in outcome) reject(leaseLost(outcome.lost));
      else if ('full' in outcome) reject(this.#full());
      else if ('conflict' in outcome) reject(revisionConflict(commit, outcome));
      else resolve(Number(outcome.revision));
    }
  }

  async #send(commits: readonly EncodedCommit[], withinMs: number): Promise<readonly CommitOutcome[]> {
    const { connection, self, announcer } = this.#core;
    const values = commits.flatMap((commit) => commit.values);
    const { reply } = await connection.askWithin(withinMs, COMMIT_STATE, [
      self,
      ++this.#number,
      commits.length,
      ...values,
    ]);
    if (commits.some(({ isOfInterest }) => isOfInterest)) announcer.announce();
    if (reply === null) throw new EventManagerError('internal', 'A commit came behind a later one.');
    return JSON.parse(String(reply)) as CommitOutcome[];
  }

  #full(): EventManagerError {
    const details = { retryAfterMs: RETRY_AFTER_MS, redisCode: 'OOM' };
    const error = new EventManagerError('disk_full', 'The memory of Redis is full.', details);
    this.#core.connection.connection.reach.refused(error);
    return error;
  }
}

function leaseLost(resources: readonly string[]): EventManagerError {
  const message = `The lease of ${resources.join(', ')} is not held any more.`;
  return new EventManagerError('lease_lost', message, { resources });
}

function revisionConflict({ changes }: EncodedCommit, outcome: { conflict: number; revision: string }) {
  const { kind, key, ifRevision } = changes[outcome.conflict - 1]!;
  const revision = Number(outcome.revision);
  const message = `${kind} ${key} is at revision ${revision}, not ${ifRevision}.`;
  return new EventManagerError('revision_conflict', message, { kind, key, revision });
}

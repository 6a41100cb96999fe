import type { LostRange, Position } from '@event-manager/core';
import type { Connections } from '../connect/connections.ts';

/*
 * Whether the log is still the one that it was.
 *
 * A server that fails over to a copy which had not got everything yet, or is restored from a backup, goes on with a log that
 * ends earlier. Nothing in it says so. Only a process that was there knows of positions that were acknowledged, and it has
 * counted subscriptions on to there: events that took these positions a second time would never be delivered.
 *
 * Therefore the log branches (see `schema/0001-log.ts`): the first who writes on another timeline of the server, or knows of a
 * position behind the head, moves the head far beyond anything that was given before and counts the branch. The positions in between
 * are a gap: nobody ever reads an event there. What a process knows to have been in it is lost, and it says so: in the table of lost
 * ranges, in its health, and so under `$sys`. A failover that lost nothing leaves a gap and no more.
 *
 * A process learns of a branch by its next append or read, whichever is first, and follows before it believes the answer. What
 * was known only to processes that are gone nobody can tell.
 */

interface Range {
  readonly from: Position;
  readonly through: Position;
}

interface BranchRow {
  readonly branch: number;
  readonly head: Position;
  readonly lost: readonly Range[];
  readonly gaps: readonly Range[];
}

export class LogBranch {
  readonly #connections: Connections;
  readonly #schema: string;
  #number = 0;
  #knownHead: Position = 0;
  #lost: readonly LostRange[] = [];
  #missing: readonly Range[] = [];

  constructor(connections: Connections, schema: string) {
    this.#connections = connections;
    this.#schema = schema;
  }

  /** How often the log has branched, as this process knows it. */
  get number(): number {
    return this.#number;
  }

  /** Up to here the log was there when this process last looked. */
  get knownHead(): Position {
    return this.#knownHead;
  }

  /** What was there and is not any more, and the holes of a log that came from another store; ascending. */
  get lost(): readonly LostRange[] {
    return this.#lost;
  }

  /** All positions without an event, ascending: what is lost, and what was passed over. */
  get missing(): readonly Range[] {
    return this.#missing;
  }

  /** The head by an answer of this branch. */
  saw(head: Position): void {
    this.#knownHead = Math.max(this.#knownHead, head);
  }

  /** Branches the log if that is due, tells what this process knows to be lost, and learns what all have told. */
  async follow(): Promise<void> {
    const [row] = await this.#connections.ask<BranchRow>(`SELECT * FROM ${this.#schema}.follow_branch($1)`, [
      this.#knownHead,
    ]);
    const { branch, head, lost, gaps } = row!;
    this.#number = branch;
    this.#lost = lost.map((range) => ({ ...range, cause: 'damaged' }));
    // What is lost of a gap is in it.
    this.#missing = [...gaps, ...lost.filter((range) => !gaps.some((gap) => isWithin(range, gap)))].sort(
      (a, b) => a.from - b.from,
    );
    this.saw(head);
  }
}

function isWithin(range: Range, other: Range): boolean {
  return range.from >= other.from && range.through <= other.through;
}

import type { LostRange, Position } from '@event-manager/core';
import type { Reply } from '../connect/connection.ts';
import type { ServerFacts } from '../connect/read-server.ts';
import type { AskStore } from '../connect/store-connection.ts';
import { FOLLOW_BRANCH } from '../lua/follow-branch.ts';

/*
 * Whether the log is still the one that it was.
 *
 * A server that did not have everything on its disk, or a copy that is promoted before it had got everything, goes on with a log that
 * ends earlier. Nothing in it says so. State and log end at the same moment, since the server writes one file; but processes
 * have counted on beyond it, and cursors of clients have: events that took these positions a second time would never be seen.
 *
 * Therefore the log branches: the first who is connected to the server in another life of it, one that may lack something, or knows of a
 * position behind the head, moves the head far beyond anything that was given before and counts the branch; revisions and tokens
 * of leases move in the same way. The positions in between are a gap: nobody ever reads an event there. What a process knows
 * to have been in it is lost, and it says so: in the table of lost ranges, in its health, and so under `$sys`. A life that lost nothing
 * leaves a gap and no more; one that synced each write and was never a copy, and in which nothing is missed, leaves none.
 *
 * A process looks at each new connection before it asks anything there, and when an answer comes from a later branch: then others have told of
 * losses. What was known only to processes that are gone nobody can tell.
 */
export class LogBranch {
  #number = 0;
  #knownHead: Position = 0;
  #lost: readonly LostRange[] = [];

  /** How often the log has branched and losses were told, as this process knows it. */
  get number(): number {
    return this.#number;
  }

  /** Up to here the log was there when this process last looked. */
  get knownHead(): Position {
    return this.#knownHead;
  }

  /** What was there and is not any more; ascending. */
  get lost(): readonly LostRange[] {
    return this.#lost;
  }

  /** The head by an answer of this branch. */
  saw(head: Position): void {
    this.#knownHead = Math.max(this.#knownHead, head);
  }

  /** Branches the log if that is due, tells what this process knows to be lost, and learns what all have told. */
  async follow(ask: AskStore, server?: Pick<ServerFacts, 'life' | 'mayLack' | 'uptimeMs'>): Promise<void> {
    const { life = '', mayLack = false, uptimeMs = 0 } = server ?? {};
    this.#learn(await ask(FOLLOW_BRANCH, life, mayLack ? '1' : '0', this.#knownHead, uptimeMs));
  }

  #learn(reply: Reply): void {
    const [branch, head, ...ranges] = reply as readonly number[];
    this.#number = branch!;
    const lost: LostRange[] = [];
    for (let at = 0; at < ranges.length; at += 2) {
      lost.push({ from: ranges[at]!, through: ranges[at + 1]!, cause: 'damaged' });
    }
    this.#lost = lost.sort((a, b) => a.from - b.from);
    this.saw(head!);
  }
}

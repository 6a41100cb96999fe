import type { Connections } from './connections.ts';

/** Nobody has to find an announcement again after a crash, so its transaction waits for no disk and for no copy. */
const ANNOUNCE = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`;

/**
 * Tells the processes that listen that something changed: behind the change and not in its transaction. An announcement takes a
 * lock of the whole server, which is held until its transaction is on the disk; four instances that append and commit came to
 * three quarters of what they do otherwise, because each waited for the disk of all.
 *
 * At most one is under way. What changes meanwhile is announced by the one behind it. One that is lost, with the process or
 * the connection, is what the slow poll of whoever waits is for.
 */
export class HintAnnouncer {
  readonly #connections: Connections;
  readonly #hints: string;
  readonly #self: string;
  #isUnderWay = false;
  #isDueAgain = false;

  /** `self` is how this process knows its own announcements. */
  constructor(connections: Connections, names: { hints: string; self: string }) {
    this.#connections = connections;
    this.#hints = names.hints;
    this.#self = names.self;
  }

  announce(): void {
    this.#isDueAgain = true;
    if (!this.#isUnderWay) void this.#announceAll();
  }

  async #announceAll(): Promise<void> {
    this.#isUnderWay = true;
    while (this.#isDueAgain) {
      this.#isDueAgain = false;
      await this.#connections.ask(ANNOUNCE, [this.#hints, this.#self]).catch(() => {});
    }
    this.#isUnderWay = false;
  }
}

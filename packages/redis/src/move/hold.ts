import { EventManagerError, type Runtime } from '@event-manager/core';
import type { StoreConnection } from '../connect/store-connection.ts';
import { HOLD_STORE, LET_GO, MARK_MOVED } from '../lua/moves.ts';
import { HOLD_MS } from '../lua/script.ts';

/** So often that one answer may fail to come. */
const RENEW_MS = HOLD_MS / 4;
/** Of the last word; the hold runs out without it. */
const LET_GO_MS = 500;

/** A store that nobody changes while this process says so again and again: see `lua/moves.ts`. */
export class Hold {
  readonly #connection: StoreConnection;
  readonly #mover: string;
  readonly #runtime: Runtime;
  #branch = 0;
  #cancel: () => void = () => {};
  #isOver = false;

  constructor(connection: StoreConnection, mover: string, runtime: Runtime) {
    this.#connection = connection;
    this.#mover = mover;
    this.#runtime = runtime;
  }

  /** Throws `store_locked` where another process moves it. */
  async begin(): Promise<void> {
    const branch = await this.#connection.ask(HOLD_STORE, this.#mover, '1');
    if (branch === null) {
      throw new EventManagerError('store_locked', 'Another process is moving this store.', { retryAfterMs: HOLD_MS });
    }
    this.#branch = branch as number;
    this.#renewSoon();
  }

  /** Throws `store_unavailable` where it was not held all the time: others may have changed what was read. */
  async markMoved(): Promise<void> {
    const { reply } = await this.#connection.askWithin(HOLD_MS, MARK_MOVED, [this.#mover, this.#branch]);
    if (reply === 1) return;
    const words = 'The store could be changed while it was being moved; it stays where it is.';
    throw new EventManagerError('store_unavailable', words, { retryAfterMs: HOLD_MS });
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#cancel();
    await this.#connection.askWithin(LET_GO_MS, LET_GO, [this.#mover]).catch(() => {});
  }

  #renewSoon(): void {
    if (this.#isOver) return;
    this.#cancel = this.#runtime.timers.after(RENEW_MS, () => void this.#renew());
  }

  /** Whatever comes of it, the mark is made only while the hold lasts. */
  async #renew(): Promise<void> {
    await this.#connection.askWithin(RENEW_MS, HOLD_STORE, [this.#mover, '0']).catch(() => {});
    this.#renewSoon();
  }
}

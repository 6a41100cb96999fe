import type { LostRange, Place } from '@event-manager/core';
import { CLEAN_LOG, TRIM_LOG } from '../lua/trim-log.ts';
import type { LogCore } from './log-core.ts';

/** Entries removed by one script: a few milliseconds. */
const ENTRIES_PER_STEP = 1_000;

/** `EventStore.trim`, and what follows it. */
export class TrimLog {
  readonly #core: LogCore;
  #cleaning: Promise<void> | undefined;
  #isClosing = false;

  constructor(core: LogCore) {
    this.#core = core;
  }

  async trim(upTo: readonly Place[]): Promise<readonly LostRange[]> {
    const through = upTo.reduce((highest, { position }) => Math.max(highest, position), 0);
    if (through === 0) return [];
    const removed = (await this.#core.connection.ask(TRIM_LOG, through)) as readonly number[];
    this.clean();
    const [from, last] = removed;
    return from === undefined || last === undefined ? [] : [{ from, through: last, cause: 'trimmed' }];
  }

  /** Also at the start: whoever trimmed last may have ended before all was gone. */
  clean(): void {
    this.#cleaning ??= this.#clean();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#cleaning;
  }

  /** Whatever ends it, the next trim goes on from there. */
  async #clean(): Promise<void> {
    try {
      while (!this.#isClosing && (await this.#core.connection.ask(CLEAN_LOG, ENTRIES_PER_STEP)) === 1);
    } catch {
      // The health of the adapter tells of it.
    } finally {
      this.#cleaning = undefined;
    }
  }
}

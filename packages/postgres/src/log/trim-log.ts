import type { LostRange, Place } from '@event-manager/core';
import type { LogCore } from './log-core.ts';

/** Remembered ids removed by one statement: some 100 ms. */
const IDS_PER_STEP = 20_000;

interface TrimRow {
  readonly removed_from: number;
  readonly removed_through: number | null;
}

/** `EventStore.trim`, and what follows it: see `schema/0003-trim.ts`. */
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
    const { connections, schema } = this.#core;
    const [row] = await connections.ask<TrimRow>(`SELECT * FROM ${schema}.trim_log($1)`, [through]);
    const { removed_from: from, removed_through: removedThrough } = row!;
    this.#cleaning ??= this.#clean();
    return removedThrough === null ? [] : [{ from, through: removedThrough, cause: 'trimmed' }];
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#cleaning;
  }

  /** Whatever ends it, the next trim goes on from there. */
  async #clean(): Promise<void> {
    const { connections, schema } = this.#core;
    try {
      for (let hasMore = true; hasMore && !this.#isClosing; ) {
        const [row] = await connections.ask<{ more: boolean }>(`SELECT ${schema}.clean_log($1) AS more`, [
          IDS_PER_STEP,
        ]);
        hasMore = row!.more;
      }
    } catch {
      // The health of the adapter tells of it.
    } finally {
      this.#cleaning = undefined;
    }
  }
}

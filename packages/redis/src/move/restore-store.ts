import { type Extent, type Restoration, type Restored, STATE_KINDS } from '@event-manager/core';
import type { StoreConnection } from '../connect/store-connection.ts';
import { searchedOf } from '../log/narrow-query.ts';
import { partsOf } from '../log/parts-of.ts';
import { COMPLETE_RESTORE, EMPTY_STORE, RESTORE_GAP } from '../lua/moves.ts';
import { RESTORE_EVENTS } from '../lua/restore-events.ts';
import type { ScriptValue } from '../lua/script.ts';
import { CLEAN_LOG } from '../lua/trim-log.ts';

/** Entries removed by one script: a few milliseconds. */
const ENTRIES_PER_STEP = 1_000;

/** Removes what an earlier attempt left, and fills the store: see `lua/moves.ts`. */
export async function restoreStore(connection: StoreConnection, { first, head }: Extent): Promise<Restoration> {
  while ((await connection.ask(CLEAN_LOG, ENTRIES_PER_STEP)) === 1);
  await connection.ask(EMPTY_STORE, first, ...STATE_KINDS);
  return {
    async write(events) {
      for (const part of partsOf(events)) await connection.ask(RESTORE_EVENTS, ...part.events.flatMap(valuesOf));
    },
    async skip({ from, through }) {
      await connection.ask(RESTORE_GAP, from, through);
    },
    async complete() {
      await connection.ask(COMPLETE_RESTORE, head);
    },
  };
}

function valuesOf(event: Restored): ScriptValue[] {
  const { position, recordedAtMs, id, lane, flags, topic, body } = event;
  return [position, recordedAtMs, id, `${lane} ${flags}`, topic, body, ...searchedOf(event)];
}

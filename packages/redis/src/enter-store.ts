import { EventManagerError, type Extent, STATE_KINDS } from '@event-manager/core';
import type { AskOnce, Reply } from './connect/connection.ts';
import type { ServerFacts } from './connect/read-server.ts';
import { FORMAT, MAKE_STORE } from './lua/make-store.ts';
import { BEGIN_RESTORE, FIND_STORE } from './lua/moves.ts';

/** Finds the store on the first connection, or makes it; resolves with its id. May be asked again when an answer was lost. */
export type Entrance = (ask: AskOnce, server: ServerFacts) => Promise<string>;

const FOREIGN =
  'What Redis keeps under this prefix was written by another version or another program, or is what is left of a store.';

/** The store that is there, or a new one under this id. */
export function orMake(id: string): Entrance {
  return async (ask, { life }) => {
    const found = readFound(await ask(MAKE_STORE, [id, FORMAT, life]));
    assertInUse(found);
    return found.id;
  };
}

/** The store that is there, however it stands; `store_not_found` where none is. */
export async function thatIsThere(ask: AskOnce): Promise<string> {
  return (await find(ask)).id;
}

/** The same, refusing one that has moved or is not complete. */
export async function thatIsInUse(ask: AskOnce): Promise<string> {
  const found = await find(ask);
  assertInUse(found);
  return found.id;
}

/** A store under this id that is to be filled: what an earlier attempt left is still there. */
export function toRestore(id: string, { first }: Extent): Entrance {
  return async (ask, { life }) => {
    const reply = (await ask(FIND_STORE, [])) as readonly Reply[];
    if (reply.length > 0) readFound(reply);
    const begun = await ask(BEGIN_RESTORE, [id, FORMAT, life, first, ...STATE_KINDS]);
    if (begun === 1) return id;
    throw new EventManagerError('store_not_empty', 'Redis keeps events or records under this prefix already.');
  };
}

async function find(ask: AskOnce): Promise<Found> {
  const reply = (await ask(FIND_STORE, [])) as readonly Reply[];
  if (reply.length > 0) return readFound(reply);
  throw new EventManagerError('store_not_found', 'Redis keeps no store under this prefix.');
}

interface Found {
  readonly id: string;
  readonly standing: string | undefined;
}

function readFound(reply: Reply): Found {
  const [id, format, standing] = reply as readonly (Buffer | null)[];
  if (String(format) !== String(FORMAT)) throw new EventManagerError('unsupported_format', FOREIGN);
  return { id: String(id), standing: standing?.toString() };
}

function assertInUse({ standing }: Found): void {
  if (standing === 'moved') {
    throw new EventManagerError('store_moved', 'What Redis kept of this store has moved to another store.');
  }
  if (standing === 'incomplete') {
    throw new EventManagerError(
      'store_incomplete',
      'The store in Redis is being filled from another one, or that was interrupted.',
    );
  }
}

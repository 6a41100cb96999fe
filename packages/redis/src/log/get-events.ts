import type { Place, Recorded } from '@event-manager/core';
import type { Reply } from '../connect/connection.ts';
import { GET_EVENTS } from '../lua/get-events.ts';
import type { LogCore } from './log-core.ts';
import { toRecorded } from './record.ts';

/** Of one script: at the largest size of an event that is 16 MiB. */
const AT_ONCE = 64;
const NOBODY = '-';

/** `EventStore.get`, ids and places alike. */
export async function getEvents(
  { connection }: LogCore,
  refs: readonly (string | Place)[],
): Promise<readonly (Recorded | undefined)[]> {
  const found: (Recorded | undefined)[] = [];
  for (let from = 0; from < refs.length; from += AT_ONCE) {
    const reply = await connection.ask(GET_EVENTS, ...refs.slice(from, from + AT_ONCE).map(nameOf));
    for (const entry of reply as readonly (readonly Reply[] | null)[]) {
      found.push(entry === null ? undefined : toRecorded(entry[0] as number, entry[1] as Buffer, entry[2] as Buffer));
    }
  }
  return found;
}

function nameOf(ref: string | Place): string {
  if (typeof ref === 'string') return ref.startsWith('#') ? NOBODY : ref;
  return ref.partition === 0 && Number.isSafeInteger(ref.position) && ref.position > 0 ? `#${ref.position}` : NOBODY;
}

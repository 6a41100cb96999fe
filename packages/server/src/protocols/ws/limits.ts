import type { Configuration } from '../../configuration/settings.ts';

const MIB = 1024 * 1024;
/** Escapes and spaces are not stored: so many times its stored size an event may have in a frame (as in a body of HTTP). */
const SPACIOUS = 2;

/** The largest frame that is read: always large enough for the largest event. */
export function frameBytesMax({ wsFrameBytesMax, limits }: Configuration): number {
  return wsFrameBytesMax ?? Math.max(MIB, limits.eventBytesMax * SPACIOUS);
}

/** What may wait for one reader: two of the largest events have to fit, or every one of them would cut its reader. */
export function pendingBytesMax({ wsPendingBytesMax, limits }: Configuration): number {
  return Math.max(wsPendingBytesMax, limits.eventBytesMax * 2);
}

import { HAS_EXPIRY } from '../event/flags.ts';
import type { KeptEvent } from './kept-event.ts';

/** How long the event may still be attempted; `Infinity` when it never expires, at least 0. */
export function untilExpiryMs(kept: KeptEvent, wallMs: number): number {
  if ((kept.flags & HAS_EXPIRY) === 0) return Number.POSITIVE_INFINITY;
  const { expiresAt } = kept.event.metadata;
  return expiresAt ? Math.max(0, expiresAt.getTime() - wallMs) : Number.POSITIVE_INFINITY;
}

import type { Attempt } from '../deliver.ts';

/**
 * A gate that closed while a retry waited for its number to be durable holds for it, too: the breaker opened, or the receiver
 * asked for a pause, somebody paused it, or the last receiver left. First attempts begin in the turn in which they are claimed and need not ask.
 */
export function mustWait({ subscription, batch }: Attempt, nowMs: number): boolean {
  const { receiver, pause, definition, width } = subscription.receiving;
  if (definition.state !== 'active' || width === 0) return true;
  if (!receiver) return false;
  const { breaker } = receiver;
  const isHeld = breaker !== undefined && breaker.state !== 'closed' && !breaker.isProbe(batch[0]!);
  return isHeld || pause.room(nowMs) <= 0;
}

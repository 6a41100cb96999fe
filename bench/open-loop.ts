export interface OpenLoop {
  readonly perSecond: number;
  readonly count: number;
  /** Sends the events of numbers `from` (inclusive) to `to` (exclusive), all of which are due. Must not wait. */
  readonly send: (from: number, to: number) => void;
}

const TICK_MS = 1;

/**
 * Sends on schedule whatever becomes of what was sent: event n is due n / rate after the start, and a late tick sends all
 * that has become due. Resolves with the start, so that a receiver can measure from the moment an event was *due*, which
 * counts every delay, also one that kept the sender from sending.
 */
export function openLoop({ perSecond, count, send }: OpenLoop, onStart: (startedMs: number) => void): Promise<void> {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    onStart(startedMs);
    let sent = 0;
    const tick = () => {
      const due = Math.min(count, Math.floor(((performance.now() - startedMs) * perSecond) / 1_000));
      if (due > sent) send(sent, due);
      sent = Math.max(sent, due);
      if (sent < count) setTimeout(tick, TICK_MS);
      else resolve();
    };
    tick();
  });
}

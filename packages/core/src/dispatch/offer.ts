/**
 * From the log to the queues. Two ways lead there: `offerLive` for an event that was just routed, and `ReadBack` for the
 * lanes that missed events because they were full or have just been opened.
 *
 * `ReadBack` is one scan for all: it reads one chunk behind the oldest cursor and offers it to every lane whose cursor
 * stands inside, so a thousand subscriptions that restart together cost one reading of the log.
 */
import type { Position } from '../contracts/event-store.ts';
import type { Lane } from '../event/priority.ts';
import type { PatternIndex } from '../topic/pattern-index.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { KeptEvent } from './kept-event.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { ReadKeys } from './order/read-keys.ts';
import type { ReadBackOptions } from './read-back-options.ts';

const CHUNK_RECORDS = 512;
const CHUNK_BYTES = 1024 * 1024;

/** Offers a new event to every subscription whose pattern matches, and calls `wake` for each. Returns how many match. */
export function offerLive(
  kept: KeptEvent,
  index: PatternIndex<ActiveSubscription>,
  wake: (subscription: ActiveSubscription) => void,
): number {
  const subscriptions = index.match(kept.topic);
  for (let at = 0; at < subscriptions.length; at++) {
    const subscription = subscriptions[at]!;
    if (!subscription.wants(kept.lane)) continue;
    const lane = subscription.queue.byLane[kept.lane]!;
    lane.offer(kept.position);
    if (lane.state === 'live') {
      kept.waitingQueues++;
      if (kept.awaitsAttempts && subscription.attemptsSoon) kept.firstAttempts++;
    }
    wake(subscription);
  }
  return subscriptions.length;
}

export class ReadBack {
  readonly #options: ReadBackOptions;
  readonly #scanning: OneAtATime;
  readonly #keys: ReadKeys;

  constructor(options: ReadBackOptions) {
    this.#options = options;
    this.#keys = new ReadKeys(options);
    this.#scanning = new OneAtATime(() => this.#scanAll(), options.onFailure, options.timers);
  }

  /** Scans if a lane, or a key of an ordered subscription, wants reading. */
  start(): void {
    this.#keys.start();
    if (this.#scanning.isIdle && this.#oldestCursor() === undefined) return;
    this.#scanning.poke();
  }

  /** Resolves when no scan runs any more. */
  async stop(): Promise<void> {
    await Promise.all([this.#scanning.stop(), this.#keys.stop()]);
  }

  async #scanAll(): Promise<void> {
    while (!this.#scanning.isStopped) {
      const after = this.#oldestCursor();
      if (after === undefined) return;
      await this.#scan(after);
    }
  }

  async #scan(after: Position): Promise<void> {
    const { partition, store, bodies, index, onLost, wake } = this.#options;
    const until = this.#options.routedHead();
    const chunk = await store.read(partition, after, { limit: CHUNK_RECORDS, bytesMax: CHUNK_BYTES, until });
    if (chunk.lost) onLost(chunk.lost);
    for (const record of chunk.records) {
      const matching = index.match(record.topic);
      if (matching.length === 0 || this.#options.takes?.(record) === false) continue;
      const position = record.place.position;
      let taken = false;
      for (const subscription of matching) {
        if (!subscription.wants(record.lane)) continue;
        const lane = subscription.queue.byLane[record.lane]!;
        if (!lane.wantsRead(position, after)) continue;
        subscription.queue.offerRead(lane, record.lane, position, after, record);
        taken = true;
      }
      if (taken) bodies.keep(record);
    }
    const scannedTo = chunk.scannedTo > after ? chunk.scannedTo : until;
    for (const subscription of this.#options.subscriptions.values()) {
      for (const lane of subscription.queue.lanes) lane.scanned(after, scannedTo, this.#options.routedHead());
      wake(subscription);
    }
  }

  /** The cursor of the lane that is furthest behind, among those that want reading; moves those to `reading`. */
  #oldestCursor(): Position | undefined {
    const head = this.#options.routedHead();
    let oldest: Position | undefined;
    for (const subscription of this.#options.subscriptions.values()) {
      const { lanes } = subscription.queue;
      // By number: with a thousand subscriptions an iterator of pairs took six times as long.
      for (let number = 0; number < lanes.length; number++) {
        const lane = lanes[number]!;
        if (!lane.wantsReading) continue;
        if (lane.state === 'overflowed') lane.beginReading();
        const isWanted = subscription.queue.isOrdered || subscription.wants(number as Lane);
        if (!isWanted || lane.cursor >= head) {
          lane.scanned(lane.cursor, head, head);
          continue;
        }
        if (oldest === undefined || lane.cursor < oldest) oldest = lane.cursor;
      }
    }
    return oldest;
  }
}

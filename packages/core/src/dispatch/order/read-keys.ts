/**
 * Reads the ranges of keys back from the log, for all keys of all subscriptions together: one chunk behind the one that is
 * furthest behind, offered to every key whose wish lies inside it. It reads as far as some key has need and memory has room,
 * so a range of a million events costs no more memory than one of a hundred.
 */
import type { Position } from '../../contracts/event-store.ts';
import { tellsOf } from '../claim.ts';
import { KeptEvent } from '../kept-event.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import type { ReadBackOptions } from '../read-back-options.ts';
import { untilExpiryMs } from '../until-expiry.ts';

const CHUNK_RECORDS = 512;
const CHUNK_BYTES = 1024 * 1024;

export class ReadKeys {
  readonly #options: ReadBackOptions;
  readonly #scanning: OneAtATime;

  constructor(options: ReadBackOptions) {
    this.#options = options;
    this.#scanning = new OneAtATime(() => this.#scanAll(), options.onFailure, options.timers);
  }

  /** Scans if a key wants it. */
  start(): void {
    if (this.#scanning.isIdle && this.#wantedAfter() === undefined) return;
    this.#scanning.poke();
  }

  /** Resolves when no scan runs any more. */
  async stop(): Promise<void> {
    await this.#scanning.stop();
  }

  async #scanAll(): Promise<void> {
    while (!this.#scanning.isStopped) {
      const after = this.#wantedAfter();
      if (after === undefined) return;
      await this.#scan(after);
    }
  }

  async #scan(after: Position): Promise<void> {
    const { partition, store, subscriptions, onLost, wake } = this.#options;
    const until = this.#options.routedHead();
    const chunk = await store.read(partition, after, { limit: CHUNK_RECORDS, bytesMax: CHUNK_BYTES, until });
    if (chunk.lost) onLost(chunk.lost);
    for (const record of chunk.records) {
      if (this.#options.takes?.(record) !== false) this.#offer(new KeptEvent(record), after);
    }
    const scannedTo = chunk.scannedTo > after ? chunk.scannedTo : until;
    for (const subscription of subscriptions.values()) {
      const { unread } = subscription.queue.keys ?? {};
      if (!unread || unread.isEmpty) continue;
      unread.scanned(after, scannedTo, chunk.lost);
      wake(subscription);
    }
  }

  #offer(kept: KeptEvent, after: Position): void {
    let isWantedSoon = false;
    const isExpired = untilExpiryMs(kept, this.#options.wallMs()) === 0;
    for (const subscription of this.#options.index.match(kept.topic)) {
      const { unread } = subscription.queue.keys ?? {};
      if (!unread || unread.isEmpty || !subscription.wants(kept.lane)) continue;
      // What its filter refuses was passed over when it came, and is no part of the range.
      if (tellsOf(subscription, kept) || (subscription.matches && !subscription.matches(kept.event))) continue;
      const onExpired = () => this.#options.log.passed(subscription, kept, 'expired', undefined);
      isWantedSoon = unread.offer(kept, after, isExpired, onExpired) || isWantedSoon;
    }
    if (isWantedSoon) this.#options.bodies.keep(kept);
  }

  #wantedAfter(): Position | undefined {
    let oldest: Position | undefined;
    for (const { queue } of this.#options.subscriptions.values()) {
      const after = queue.keys?.unread.wantedAfter;
      if (after !== undefined && (oldest === undefined || after < oldest)) oldest = after;
    }
    return oldest;
  }
}

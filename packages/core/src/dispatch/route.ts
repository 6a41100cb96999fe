/**
 * Follows the log of one partition and offers every event once to the queues, in position order.
 *
 * `head` is the last position that was offered. An event appended here is routed from memory when it follows directly on
 * `head`; otherwise somebody else appended in between, and the gap is read from the store. Whatever the way, `head` only
 * moves together with the offers, without an await in between: a lane that compares its cursor with `head` sees no gap.
 */
import type { EventStore, LostRange, Partition, Position, Recorded } from '../contracts/event-store.ts';
import type { Timers } from '../runtime/clock.ts';
import type { PatternIndex } from '../topic/pattern-index.ts';
import type { ActiveSubscription } from './active-subscription.ts';
import type { Bodies } from './bodies.ts';
import { KeptEvent } from './kept-event.ts';
import { offerLive } from './offer.ts';
import { OneAtATime } from './one-at-a-time.ts';

const CHUNK_RECORDS = 512;
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Positions of the newest events that streams can take from memory. A power of two. */
const RECENT_MAX = 8192;

export interface RouteOptions {
  readonly partition: Partition;
  readonly store: EventStore;
  readonly bodies: Bodies;
  readonly index: PatternIndex<ActiveSubscription>;
  readonly head: Position;
  readonly wake: (subscription: ActiveSubscription) => void;
  /** True while streams read along. */
  readonly hasReaders: () => boolean;
  /** Called after `head` moved. */
  readonly onAdvance: () => void;
  readonly onLost: (lost: LostRange) => void;
  readonly onFailure: (error: unknown) => void;
  readonly timers: Timers;
}

export class Route {
  #head: Position;
  readonly #options: RouteOptions;
  readonly #recent = new Float64Array(RECENT_MAX);
  #recentCount = 0;
  /** The position before the oldest of `#recent`. */
  #recentAfter: Position;
  readonly #reading: OneAtATime;
  #failed = false;

  constructor(options: RouteOptions) {
    this.#options = options;
    this.#head = options.head;
    this.#recentAfter = options.head;
    this.#reading = new OneAtATime(
      () => this.#read(),
      (error) => {
        this.#failed = true;
        options.onFailure(error);
      },
      options.timers,
    );
  }

  get head(): Position {
    return this.#head;
  }

  /** Takes an event that this process appended; `previous` is the position before it in the log. Returns how many it was offered to. */
  appended(kept: KeptEvent, previous: Position): number {
    if (kept.position <= this.#head) return 0;
    if (previous !== this.#head) {
      this.catchUp();
      return 0;
    }
    return this.#take(kept);
  }

  /** To be called once after a run of `appended`. */
  flush(): void {
    this.#options.onAdvance();
  }

  /** Reads what others appended. Harmless when there is nothing. */
  catchUp(): void {
    this.#reading.poke();
  }

  /** Resolves when everything is routed that was in the log when this was called, or reading has ended. */
  async caughtUp(): Promise<void> {
    this.catchUp();
    await this.#reading.ended();
  }

  /**
   * Resolves when everything up to `position`, which must be in the log already, is routed or reading has ended. Throws what
   * the store says when it cannot be read for now.
   */
  async reach(position: Position): Promise<void> {
    while (this.#head < position && !this.#reading.isStopped && !this.#failed) {
      this.#reading.poke();
      await this.#reading.ended();
      if (this.#reading.trouble) throw this.#reading.trouble;
    }
  }

  async stop(): Promise<void> {
    await this.#reading.stop();
  }

  /** Up to `limit` events behind `after`, or `undefined` when they are not all in memory any more. */
  recent(after: Position, limit: number): readonly Recorded[] | undefined {
    if (after < this.#recentAfter) return undefined;
    const events: Recorded[] = [];
    const oldest = Math.max(0, this.#recentCount - RECENT_MAX);
    for (let slot = this.#firstSlotBehind(after, oldest); slot < this.#recentCount && events.length < limit; slot++) {
      const kept = this.#options.bodies.get(this.#recent[slot & (RECENT_MAX - 1)]!);
      if (!kept) return events.length > 0 ? events : undefined;
      events.push(kept);
    }
    return events;
  }

  #firstSlotBehind(after: Position, oldest: number): number {
    let low = oldest;
    let high = this.#recentCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#recent[middle & (RECENT_MAX - 1)]! <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #take(record: Recorded): number {
    const kept = record instanceof KeptEvent ? record : new KeptEvent(record);
    const slot = this.#recentCount++ & (RECENT_MAX - 1);
    if (this.#recentCount > RECENT_MAX) this.#recentAfter = this.#recent[slot]!;
    this.#recent[slot] = kept.position;
    this.#head = kept.position;
    const offers = offerLive(kept, this.#options.index, this.#options.wake);
    // What nobody will look at soon must not grow old in memory: it would cost a fifth of a publish in garbage collection.
    if (offers > 0 || this.#options.hasReaders()) this.#options.bodies.keep(kept);
    return offers;
  }

  /** What left the log leaves its streams, too: one that stands before it has to hear of it, which only the store can tell. */
  forget(through: Position): void {
    this.#recentAfter = Math.max(this.#recentAfter, through);
  }

  #noteLost(lost: LostRange): void {
    this.forget(lost.through);
    this.#options.onLost(lost);
  }

  async #read(): Promise<void> {
    const { partition, store } = this.#options;
    while (!this.#reading.isStopped) {
      const after = this.#head;
      const chunk = await store.read(partition, after, { limit: CHUNK_RECORDS, bytesMax: CHUNK_BYTES });
      for (const record of chunk.records) if (record.place.position > this.#head) this.#take(record);
      // Positions without a readable event are behind us too: waiting for them would read for ever.
      if (chunk.scannedTo > this.#head) this.#head = chunk.scannedTo;
      if (chunk.lost) this.#noteLost(chunk.lost);
      this.#options.onAdvance();
      if (chunk.scannedTo <= after) return;
    }
  }
}

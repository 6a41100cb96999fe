import type { Clock } from '../runtime/clock.ts';

/** What a bus counted since it was made, in this process. `eventManager.getMetrics()` has the numbers of its engine. */
export interface BusMetrics {
  /** Acknowledged. */
  readonly eventsPublished: number;
  /** Kept back by a middleware. */
  readonly eventsFiltered: number;
  /** Refused, by a middleware, the engine or the store. */
  readonly publishErrors: number;
  /** Calls of handlers that ended well. */
  readonly eventsProcessed: number;
  /** Calls of handlers that failed. */
  readonly handlerErrors: number;
  /** Of the calls of handlers, milliseconds. */
  readonly averageProcessingTimeMs: number;
  readonly longestProcessingTimeMs: number;
  /** How many were acknowledged of each type; the types that came after the first thousand stand together under `…`. */
  readonly eventsByType: Readonly<Record<string, number>>;
  /** Subscriptions that were made here and are there. */
  readonly activeSubscriptions: number;
  /** Listeners of `on`. */
  readonly listeners: number;
  /** Of what works beside the bus and tells its numbers by it (`attachMetrics`), by name; absent where there is nothing. */
  readonly parts?: Readonly<Record<string, object>>;
}

const TYPES_MAX = 1_000;
const OTHER_TYPES = '…';

/** Counts in this process and waits for nothing, so it can be read at any time. */
export class BusMeter {
  filtered = 0;
  errors = 0;
  readonly #clock: Clock;
  readonly #byType = new Map<string, number>();
  #published = 0;
  #processed = 0;
  #failed = 0;
  #processingMs = 0;
  #longestMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  published(type: string): void {
    this.#published++;
    const known = this.#byType.has(type) || this.#byType.size < TYPES_MAX ? type : OTHER_TYPES;
    this.#byType.set(known, (this.#byType.get(known) ?? 0) + 1);
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** A call of a handler that began then has ended. */
  ended(sinceMs: number, isGood: boolean): void {
    const tookMs = this.#clock.monotonicMs() - sinceMs;
    if (isGood) this.#processed++;
    else this.#failed++;
    this.#processingMs += tookMs;
    if (tookMs > this.#longestMs) this.#longestMs = tookMs;
  }

  read(now: Pick<BusMetrics, 'activeSubscriptions' | 'listeners' | 'parts'>): BusMetrics {
    const calls = this.#processed + this.#failed;
    return {
      eventsPublished: this.#published,
      eventsFiltered: this.filtered,
      publishErrors: this.errors,
      eventsProcessed: this.#processed,
      handlerErrors: this.#failed,
      averageProcessingTimeMs: calls === 0 ? 0 : this.#processingMs / calls,
      longestProcessingTimeMs: this.#longestMs,
      eventsByType: Object.fromEntries(this.#byType),
      ...now,
    };
  }
}

/**
 * What the parts of the engine count while they work. Everything here is touched for every event, so nothing allocates, and
 * the clock is read by whoever needs it anyway: the cost is a few additions (`docs/metrics.md` has the measurement).
 */
import { type DeliveryCounts, noCounts } from '../dispatch/delivery-counts.ts';
import { noReceiverCounts } from '../dispatch/failure/receiver-status.ts';
import { isEventManagerError } from '../errors/event-manager-error.ts';
import { LANES, type Lane } from '../event/priority.ts';
import type { Clock } from '../runtime/clock.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** The wall clock is compared with the monotonic one so often; a wall clock that was set is wrong in metrics as long. */
const COMPARE_EVERY_MS = 1_000;

export class Meter {
  published = 0;
  duplicates = 0;
  /** All subscriptions together, also of those that are not served any more. */
  readonly deliveries: DeliveryCounts = noCounts();
  readonly receivers = noReceiverCounts();
  readonly publishLatency = new LatencyHistogram();
  readonly handlerLatency = new LatencyHistogram();
  readonly endToEndLatency = new LatencyHistogram();
  readonly waits: readonly LatencyHistogram[] = LANES.map(() => new LatencyHistogram());
  /** How often a fallback began and ended to serve in place of a realtime way. */
  readonly switches = { began: 0, ended: 0 };
  readonly #rejected = new Map<string, number>();
  readonly #clock: Clock;
  #wallAheadMs = 0;
  #comparedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A subscription goes this way from now on. */
  switched(way: 'realtime' | 'fallback'): void {
    this.switches[way === 'fallback' ? 'began' : 'ended']++;
  }

  /** Events that were refused with this code. */
  reject(code: string, count = 1): void {
    this.#rejected.set(code, (this.#rejected.get(code) ?? 0) + count);
  }

  /** The same for an error of any kind; returns it, so that it can be thrown on. */
  refused(error: unknown, count = 1): unknown {
    this.reject(isEventManagerError(error) ? error.code : 'internal', count);
    return error;
  }

  /** A first attempt begins at `nowMs` (monotonic) for an event that was owed since `sinceMs` (wall). Returns how long it waited. */
  begun(lane: Lane, sinceMs: number, nowMs: number): number {
    const waitMs = Math.max(0, this.#wallMs(nowMs) - sinceMs);
    this.waits[lane]!.observe(waitMs);
    return waitMs;
  }

  /** A receiver took at `nowMs` (monotonic) what was owed since `sinceMs` (wall). */
  delivered(sinceMs: number, nowMs: number): void {
    this.endToEndLatency.observe(this.#wallMs(nowMs) - sinceMs);
  }

  get rejected(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#rejected].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #wallMs(monotonicMs: number): number {
    if (monotonicMs - this.#comparedAtMs >= COMPARE_EVERY_MS) {
      this.#comparedAtMs = monotonicMs;
      this.#wallAheadMs = this.#clock.wallMs() - monotonicMs;
    }
    return monotonicMs + this.#wallAheadMs;
  }
}

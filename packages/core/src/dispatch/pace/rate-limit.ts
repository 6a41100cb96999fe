/**
 * No more than so many attempts in any 60 seconds, across restarts. What is beyond waits in its place.
 *
 *     after a clean stop ──▶ the attempts that the record tells of count as made just that long ago
 *     after a crash ──▶ full: the last attempts of the process that died may be as young as its death
 *     taken away ──▶ the attempts go on being counted, and nothing waits: it may come back within the minute
 *
 * The record is written by the commit that closes a subscription and by no other. Whoever attempts something commits before
 * (a reservation, or the number of a retry), and that commit does not have it. So a record that has it tells of everything.
 * Whoever changes the progress of a crash, and with it what tells of attempts, says so in a record (`afterRemoval`).
 *
 * An attempt counts from when it begins, not from when it was claimed: a retry waits for its commit in between, and the
 * receiver would see both ends of the window on one side.
 */
import type { JsonObject, JsonValue } from '../../json.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Gate } from '../gate.ts';
import { AttemptLog } from './attempt-log.ts';

export const RATE_WINDOW_MS = 60_000;
/** Of a subscription whose limit was taken away. */
export const UNLIMITED = Number.POSITIVE_INFINITY;

interface RateRecord {
  readonly attempts: JsonValue;
  /** For so long nothing is attempted, milliseconds. */
  readonly fullMs: number;
}

export class RateLimit implements Gate {
  opensAtMs = 0;
  readonly #perMinute: number;
  readonly #clock: Clock;
  #log: AttemptLog;
  /** Nothing is attempted before: what the process before us attempted last is not known. */
  #fullUntilMs = 0;
  /** Planted bug: begins with an empty log whatever was attempted before. */
  readonly #forgets: boolean;

  constructor(perMinute: number, clock: Clock, forgets = false) {
    this.#perMinute = perMinute;
    this.#clock = clock;
    this.#forgets = forgets;
    this.#log = new AttemptLog(RATE_WINDOW_MS);
  }

  get isLimited(): boolean {
    return this.#perMinute !== UNLIMITED;
  }

  room(nowMs: number): number {
    this.#log.forget(nowMs);
    if (!this.isLimited) return Number.POSITIVE_INFINITY;
    if (this.#fullUntilMs > nowMs) {
      this.opensAtMs = this.#fullUntilMs;
      return 0;
    }
    this.opensAtMs = this.#log.nextAtMs;
    return Math.max(0, this.#perMinute - this.#log.count);
  }

  /** The clock is read here: the time that the dispatcher has at hand may be older than the attempt. */
  begun(count: number): void {
    this.#log.add(count, this.#clock.monotonicMs());
  }

  /** What joins the progress when nothing is under way any more. */
  record(): JsonObject {
    const nowMs = this.#clock.monotonicMs();
    const attempts = this.#log.toJson(nowMs);
    const fullMs = Math.max(0, Math.ceil(this.#fullUntilMs - nowMs));
    return this.isLimited || this.#log.count > 0 || fullMs > 0 ? { rate: { attempts, fullMs } } : {};
  }

  /** Goes on from the progress of an earlier owner, if there was one. */
  recover(progress: JsonObject | undefined): void {
    if (this.#forgets) return;
    const nowMs = this.#clock.monotonicMs();
    const rate = recordIn(progress);
    if (rate) {
      this.#log = AttemptLog.fromJson(RATE_WINDOW_MS, rate.attempts, nowMs);
      this.#fullUntilMs = nowMs + rate.fullMs;
    } else if (progress && mayHaveAttempted(progress)) {
      this.#fullUntilMs = nowMs + RATE_WINDOW_MS;
    }
  }
}

/** The progress says of attempts when they were made, or that there may have been some. */
export function tellsOfAttempts(progress: JsonObject | undefined): boolean {
  return recordIn(progress) !== undefined;
}

/**
 * For whoever moves the progress of a subscription on that nobody serves: that there may have been attempts is seen by where its
 * lanes stand, and not any more when they stand elsewhere.
 */
export function afterRemoval(progress: JsonObject): JsonObject {
  if (recordIn(progress) || !mayHaveAttempted(progress)) return progress;
  return { ...progress, rate: { attempts: [], fullMs: RATE_WINDOW_MS } };
}

function recordIn(progress: JsonObject | undefined): RateRecord | undefined {
  return progress?.['rate'] as RateRecord | undefined;
}

/** Without a reservation ahead of what is settled nothing was attempted since the record was made, or since the limit is there. */
function mayHaveAttempted({ lanes }: JsonObject): boolean {
  return (lanes as unknown as [scanned: number, reserved: number][]).some(([scanned, reserved]) => reserved > scanned);
}

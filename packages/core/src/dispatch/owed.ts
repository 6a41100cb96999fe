import type { Position } from '../contracts/event-store.ts';
import type { AttemptError } from '../contracts/sink.ts';
import type { Lane } from '../event/priority.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { keptMetadata } from '../sink/kept-metadata.ts';
import type { KeyEntry } from './order/key-entry.ts';
import type { KeyMeaning } from './order/ordering-key.ts';
import { type Redriven, RedrivenEvent } from './redriven.ts';
import type { TimetableEntry } from './timetable.ts';

/** One failed attempt as it is kept with the debt and later with the dead letter. */
export interface FailedAttempt {
  readonly attempt: number;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
  /** What the handler said besides. */
  readonly metadata?: JsonObject;
}

/** Errors kept per delivery: the first and the latest ones, so that an endless retry stays small. */
const FAILED_ATTEMPTS_MAX = 32;
const MESSAGE_CHARACTERS_MAX = 1024;

/** Keeps an error small enough to be kept many times. */
export function failedAttempt(attempt: number, error: AttemptError, atMs: number): FailedAttempt {
  const metadata = error.metadata === undefined ? undefined : keptMetadata(error.metadata);
  const message = error.message.slice(0, MESSAGE_CHARACTERS_MAX);
  return { attempt, atMs, code: error.code, message, ...(metadata ? { metadata } : {}) };
}

/**
 * A delivery that does not stand in its lane any more: it failed and waits for its time, or it was under way when the
 * process died. The floor does not wait for it.
 *
 *     waiting ──time──▶ ready ──claim, made durable──▶ started ──settle──▶ gone, or waiting again
 *
 * `started` is durable before the receiver sees the attempt. Found set after a crash it means that the attempt may have
 * ended the process, so it counts as a failure: an event that kills its consumer ends as a dead letter.
 */
export class Owed implements TimetableEntry {
  readonly position: Position;
  readonly lane: Lane;
  /** Attempts made so far; the receiver sees this number plus one next. */
  attempt: number;
  /** Attempts that failed; what the retry budget counts. */
  failures = 0;
  /** Which life of the debt this is: a redrive adds one, and a reset begins behind all that were before. */
  round: number;
  /** Persisted due time, wall clock. */
  dueWallMs = 0;
  /** The wait that was decided, so that a wall clock that jumped cannot stretch it. */
  delayMs = 0;
  started = false;
  /** Delivered alone: an earlier process died while this may have been under way. */
  suspect = false;
  /** The receiver that asked for a pause of the whole subscription, for which it waits. */
  pausedBy: string | undefined;
  failedAttempts: FailedAttempt[] = [];
  /** In an ordered subscription: its key, and what keys meant when it failed. */
  key: string | undefined;
  keyMeaning: KeyMeaning | undefined;
  /** What else waits of that key. */
  entry: KeyEntry | undefined;
  /** Due time on the monotonic clock; meaningful while it stands in the timetable. */
  dueAtMs = 0;
  /** Its time has come, and no claim has taken it yet. */
  isReady = false;
  onDue: ((owed: Owed) => void) | undefined;
  /** Somebody took it up again after it was a dead letter. */
  redriven: Redriven | undefined;
  /** Its time came while another debt of its key stood before it. */
  hasCome = false;
  #event: RedrivenEvent | undefined;

  constructor(position: Position, lane: Lane, attempt: number, round: number) {
    this.position = position;
    this.lane = lane;
    this.attempt = attempt;
    this.round = round;
  }

  due(): void {
    this.onDue?.(this);
  }

  /** The event that it carries with it: absent where the log has it. */
  get event(): RedrivenEvent | undefined {
    if (this.redriven) this.#event ??= new RedrivenEvent(this.redriven);
    return this.#event;
  }

  remember(error: AttemptError, atMs: number): void {
    this.failedAttempts.push(failedAttempt(this.attempt, error, atMs));
    if (this.failedAttempts.length > FAILED_ATTEMPTS_MAX) this.failedAttempts.splice(1, 1);
  }

  /** The same debt, in no timetable. */
  copy(): Owed {
    const copy = Owed.fromJson(this.position, this.toJson());
    copy.dueAtMs = this.dueAtMs;
    return copy;
  }

  toJson(): JsonObject {
    return {
      lane: this.lane,
      attempt: this.attempt,
      failures: this.failures,
      round: this.round,
      dueAt: this.dueWallMs,
      delay: this.delayMs,
      started: this.started,
      suspect: this.suspect,
      ...(this.pausedBy === undefined ? {} : { pausedBy: this.pausedBy }),
      errors: this.failedAttempts as unknown as JsonValue,
      ...(this.key === undefined ? {} : { key: this.key, meaning: this.keyMeaning! }),
      ...(this.redriven === undefined ? {} : { redriven: this.redriven as unknown as JsonObject }),
    };
  }

  static fromJson(position: Position, value: JsonObject): Owed {
    const owed = new Owed(position, value['lane'] as Lane, value['attempt'] as number, value['round'] as number);
    owed.failures = value['failures'] as number;
    owed.dueWallMs = value['dueAt'] as number;
    owed.delayMs = value['delay'] as number;
    owed.started = value['started'] as boolean;
    owed.suspect = value['suspect'] as boolean;
    owed.pausedBy = value['pausedBy'] as string | undefined;
    owed.failedAttempts = [...(value['errors'] as unknown as FailedAttempt[])];
    owed.key = value['key'] as string | undefined;
    owed.keyMeaning = value['meaning'] as KeyMeaning | undefined;
    owed.redriven = value['redriven'] as unknown as Redriven | undefined;
    return owed;
  }
}

/**
 * Events on their way to the service.
 *
 *     waiting ──frame──▶ sent ──answer──▶ settled
 *        ▲                │ connection lost
 *        ├────────────────┤
 *        └── refused ◀────┘ refused for now: all sending pauses as long as the service asks
 *
 *     any ──its time is used up──▶ settled, with the last reason
 *
 * What waits in one turn goes out in one frame, so batches form by themselves and nothing waits for company when nothing is
 * under way. At most `windowEvents` events and `WINDOW_BYTES` bytes are unanswered; the rest waits here. What comes back, comes
 * back in the order of publishing and before everything that was never sent.
 *
 * The id of an event is made before it is sent first. So when a connection is lost the unanswered events are sent again as
 * they were: the service knows those that it stored.
 */

import type { PublishResult } from '@event-manager/core';
import { EventManagerError, type Runtime } from '@event-manager/core/portable';
import { backoffMs } from '../backoff.ts';
import type { Connection, ConnectionUser } from '../connection/connection.ts';
import type { HelloFrame, PublishAnswer, PublishedAnswer, ServerFrame } from '../connection/frames.ts';
import { problemError } from '../http/problem-error.ts';
import type { EventText } from './event-text.ts';
import type { PendingEvent } from './pending-event.ts';
import { publishFrame } from './publish-frame.ts';
import { utf8Bytes } from './utf8-bytes.ts';

/** Unanswered bytes: enough to keep a fast network busy, little enough to be sent again. */
const WINDOW_BYTES = 8 * 1024 * 1024;
const OVERLOADED_RETRY_AFTER_MS = 1_000;

export interface OutboxOptions {
  readonly connection: Connection;
  readonly runtime: Runtime;
  readonly publishTimeoutMs: number;
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
}

export class Outbox implements ConnectionUser {
  readonly #options: OutboxOptions;
  /** Everything that is not settled, oldest first. */
  readonly #pending = new Set<PendingEvent>();
  #pendingBytes = 0;
  #waiting: PendingEvent[] = [];
  readonly #sent = new Map<number, readonly PendingEvent[]>();
  #sentEvents = 0;
  #sentBytes = 0;
  #refused: PendingEvent[] = [];
  #refusals = 0;
  #limits: HelloFrame['limits'] | undefined;
  #lastNumber = 0;
  #isFlushing = false;
  #cancelPause: (() => void) | undefined;
  #cancelDeadline: (() => void) | undefined;
  #settledAt: { readonly number: number; readonly resolve: () => void }[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.connection.use(this);
  }

  get needsConnection(): boolean {
    return this.#pending.size > 0;
  }

  /** Throws `overloaded`; rejects with what the service says, `unreachable`. */
  publish({ id, text }: EventText): Promise<PublishResult> {
    const bytes = utf8Bytes(text);
    this.assertRoom(1, bytes);
    const deadlineMs = this.#options.runtime.clock.monotonicMs() + this.#options.publishTimeoutMs;
    return new Promise((resolve, reject) => {
      const number = ++this.#lastNumber;
      const fresh = { sends: 0, refusal: undefined, isSettled: false };
      const event: PendingEvent = { id, text, bytes, number, deadlineMs, resolve, reject, ...fresh };
      this.#pending.add(event);
      this.#pendingBytes += bytes;
      this.#waiting.push(event);
      this.#watchDeadline();
      this.#flushSoon();
    });
  }

  /** One event always has room, however large. Throws `overloaded`. */
  assertRoom(count: number, bytes = 0): void {
    const { waitingMax, waitingBytesMax } = this.#options;
    if (this.#pending.size === 0) return;
    const isFull = this.#pending.size + count > waitingMax;
    if (!isFull && this.#pendingBytes + bytes <= waitingBytesMax) return;
    throw new EventManagerError('overloaded', `${this.#pending.size} events wait for the service.`, {
      retryAfterMs: OVERLOADED_RETRY_AFTER_MS,
      limit: isFull ? waitingMax : waitingBytesMax,
    });
  }

  /** Resolves when everything handed in so far is acknowledged or has failed. */
  settled(): Promise<void> {
    if (this.#pending.size === 0) return Promise.resolve();
    const number = this.#lastNumber;
    return new Promise((resolve) => this.#settledAt.push({ number, resolve }));
  }

  /** Fails everything that waits. */
  end(reason: EventManagerError): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
    for (const event of [...this.#pending]) this.#reject(event, reason);
    this.#waiting = [];
    this.#refused = [];
  }

  opened({ limits }: HelloFrame): void {
    this.#limits = limits;
    this.#flushSoon();
  }

  took(frame: ServerFrame): boolean {
    if (frame.type === 'published') for (const answer of frame.answers) this.#answered(answer);
    else if (frame.type !== 'error' || frame.ref === undefined || !this.#sent.has(frame.ref)) return false;
    else this.#answered({ ref: frame.ref, error: frame.error });
    this.#flushSoon();
    return true;
  }

  lost(): void {
    this.#limits = undefined;
    const unanswered = [...this.#sent.values()].flat();
    this.#sent.clear();
    this.#sentEvents = 0;
    this.#sentBytes = 0;
    this.#comeBack(unanswered);
  }

  gaveUp(reason: EventManagerError): void {
    this.end(reason);
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const { connection } = this.#options;
    if (this.#waiting.length === 0 || this.#cancelPause) return;
    if (!this.#limits) {
      connection.need();
      return;
    }
    const { windowEvents, frameBytesMax } = this.#limits;
    let from = 0;
    while (from < this.#waiting.length && this.#sentEvents < windowEvents && this.#sentBytes < WINDOW_BYTES) {
      const ref = connection.nextRef();
      const room = { eventsMax: windowEvents - this.#sentEvents, bytesMax: frameBytesMax };
      const { text, events, tooLarge, next } = publishFrame(ref, this.#waiting, from, room);
      from = next;
      for (const event of tooLarge) this.#reject(event, eventTooLarge(event, frameBytesMax));
      if (events.length > 0) this.#send(ref, events, text);
    }
    this.#waiting = from === this.#waiting.length ? [] : this.#waiting.slice(from);
  }

  #send(ref: number, events: readonly PendingEvent[], text: string): void {
    this.#sent.set(ref, events);
    this.#sentEvents += events.length;
    for (const event of events) {
      event.sends++;
      this.#sentBytes += event.bytes;
    }
    this.#options.connection.send(text);
  }

  #answered({ ref, result, results = result && [result], error }: PublishedAnswer): void {
    const events = this.#sent.get(ref);
    if (!events) return;
    if (results && results.length !== events.length) {
      this.#options.connection.distrust('The service answers for other events than were sent.');
      return;
    }
    this.#sent.delete(ref);
    this.#sentEvents -= events.length;
    for (const event of events) this.#sentBytes -= event.bytes;
    if (results) for (const [at, event] of events.entries()) this.#take(event, results[at]!, at);
    else this.#refuseFrame(events, problemError(error ?? {}));
  }

  #take(event: PendingEvent, answer: PublishAnswer, at: number): void {
    if (event.isSettled) return;
    if ('error' in answer) {
      this.#refuse(event, withoutPlace(problemError(answer.error), at));
      return;
    }
    this.#refusals = 0;
    const { id, cursor, duplicate, scheduledFor } = answer;
    this.#settle(event);
    // Sent more than once it may well have been our own first try that stored it.
    const result = { id, cursor, duplicate: duplicate && event.sends === 1 };
    event.resolve(scheduledFor === undefined ? result : { ...result, scheduledFor });
  }

  /** One bad event must not take the others of its frame along: each goes alone then. */
  #refuseFrame(events: readonly PendingEvent[], error: EventManagerError): void {
    const open = events.filter((event) => !event.isSettled);
    if (error.retryable || open.length === 1) for (const event of open) this.#refuse(event, withoutPlace(error, 0));
    else this.#comeBack(open.map((event) => Object.assign(event, { refusal: error })));
  }

  #refuse(event: PendingEvent, error: EventManagerError): void {
    if (!error.retryable) {
      this.#reject(event, error);
      return;
    }
    event.refusal = error;
    this.#refused.push(event);
    if (this.#cancelPause) return;
    this.#refusals++;
    const { runtime } = this.#options;
    const pauseMs = error.details.retryAfterMs ?? backoffMs(this.#refusals, runtime.chance);
    this.#cancelPause = runtime.timers.after(pauseMs, () => this.#resume(), true);
  }

  #resume(): void {
    this.#cancelPause = undefined;
    const refused = this.#refused;
    this.#refused = [];
    this.#comeBack(refused);
  }

  /** Back to the front, in the order of publishing. */
  #comeBack(events: readonly PendingEvent[]): void {
    if (events.length === 0) return;
    const open = [...events, ...this.#waiting].filter((event) => !event.isSettled);
    this.#waiting = open.sort((a, b) => a.number - b.number);
    this.#flushSoon();
  }

  #reject(event: PendingEvent, error: EventManagerError): void {
    if (event.isSettled) return;
    this.#settle(event);
    event.reject(error);
  }

  #settle(event: PendingEvent): void {
    event.isSettled = true;
    this.#pending.delete(event);
    this.#pendingBytes -= event.bytes;
    if (this.#settledAt.length === 0) return;
    const oldest = this.#oldest()?.number ?? Number.POSITIVE_INFINITY;
    const reached = this.#settledAt.filter(({ number }) => number < oldest);
    this.#settledAt = this.#settledAt.filter(({ number }) => number >= oldest);
    for (const { resolve } of reached) resolve();
  }

  #oldest(): PendingEvent | undefined {
    return this.#pending.values().next().value;
  }

  /** All have the same time, so the oldest is the first whose time is used up. */
  #watchDeadline(): void {
    if (this.#cancelDeadline) return;
    const oldest = this.#oldest();
    if (!oldest) return;
    const { clock, timers } = this.#options.runtime;
    const waitMs = Math.max(0, oldest.deadlineMs - clock.monotonicMs());
    this.#cancelDeadline = timers.after(waitMs, () => {
      this.#cancelDeadline = undefined;
      this.#expire(clock.monotonicMs());
      this.#watchDeadline();
    });
  }

  #expire(nowMs: number): void {
    for (const event of this.#pending) {
      if (event.deadlineMs > nowMs) break;
      this.#reject(event, event.refusal ?? outOfTime(event));
    }
    this.#waiting = this.#waiting.filter((event) => !event.isSettled);
    this.#refused = this.#refused.filter((event) => !event.isSettled);
    // What was sent and never answered keeps its place in the window: in the end nothing could be sent any more.
    const isUnanswered = [...this.#sent.values()].some((events) => events.every((event) => event.isSettled));
    if (isUnanswered) this.#options.connection.distrust('A publish was not answered in time.');
  }
}

/** The place of the event in our frame says nothing to the caller. */
function withoutPlace(error: EventManagerError, at: number): EventManagerError {
  const { pointer } = error.details;
  if (pointer === undefined) return error;
  const inEvent = [`/events/${at}`, `/${at}`, '/event'].find(
    (place) => pointer === place || pointer.startsWith(`${place}/`),
  );
  if (inEvent === undefined) return error;
  const details = { ...error.details, pointer: pointer.slice(inEvent.length) };
  return new EventManagerError(error.code, error.message, details, error.cause);
}

function outOfTime({ id, sends }: PendingEvent): EventManagerError {
  const words =
    sends === 0
      ? 'The service could not be reached in time; the event was not sent.'
      : 'The service gave no answer in time; the event may be stored: publish it again with the same id to be sure.';
  return new EventManagerError('unreachable', words, { id, sends });
}

function eventTooLarge({ bytes }: PendingEvent, maximum: number): EventManagerError {
  const words = `The event has ${bytes} bytes and the service reads frames of at most ${maximum}.`;
  return new EventManagerError('event_too_large', words, { limit: 'frameBytesMax', maximum });
}

import type { EventIn } from '../../event/event.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { BusPublishResult } from '../bus-publish-result.ts';
import type { BusEventIn } from '../publish-arguments.ts';

/** An event in front of the store: as it was handed in, with what the bus knows already. */
export interface MiddlewareEvent extends EventIn {
  /** The id that it will be stored under. */
  readonly id: string;
  readonly timestamp: Date | string | number;
  readonly payload: PayloadIn;
  /** The same as `payload`. */
  readonly data: PayloadIn;
}

export type PayloadIn = Readonly<Record<string, unknown>>;

/**
 * Goes on with the next middleware, and behind the last one with the store; without an argument with the same event. Resolves with
 * what `publish` will answer, and rejects with what it will reject with. Need not be awaited.
 */
export type Next = (event?: BusEventIn) => Promise<BusPublishResult>;

/** What a middleware is told beside the event. */
export interface MiddlewareContext {
  /** Its own name. */
  readonly name: string;
  /** Clock, timers and chance of the bus. */
  readonly runtime: Runtime;
  /** Aborted when its time is up. */
  readonly signal: AbortSignal;
}

/**
 * Sees an event before it is stored: passes it on by `next`, keeps it back by ending without it, or refuses it by throwing an
 * `EventManagerError`. Anything else that it throws is a failure of the middleware itself.
 */
export interface Middleware {
  (event: MiddlewareEvent, next: Next, context: MiddlewareContext): unknown;
  /** Asked about each middleware that fails, wherever it stands; `pass` goes on as if that one were not there. */
  readonly onFailure?: ((failure: MiddlewareFailure) => 'pass' | 'refuse' | undefined) | undefined;
}

export interface MiddlewareFailure {
  /** Name of the middleware that failed. */
  readonly middleware: string;
  /** It threw, its time was up, or it called `next` a second time. */
  readonly reason: 'threw' | 'timeout' | 'next-twice';
  readonly error: unknown;
  readonly event: MiddlewareEvent;
  /** When, milliseconds since 1970. */
  readonly atMs: number;
  /** It had passed the event on: nothing is left to decide, and `publish` answers what became of the event. */
  readonly isPassedOn: boolean;
}

/** What became of the events that a middleware saw. */
export interface MiddlewareStats {
  readonly name: string;
  readonly seen: number;
  readonly passed: number;
  /** Kept back: `publish` answered `filtered`. */
  readonly filtered: number;
  /** Refused by an `EventManagerError` of the middleware. */
  readonly refused: number;
  /** It threw something else, or called `next` twice. */
  readonly failed: number;
  readonly timedOut: number;
  /** Of those that failed: passed over, because a middleware said so. */
  readonly passedOver: number;
  /** `next` was called after the answer was given: nothing came of it. */
  readonly late: number;
  /** Milliseconds until it passed events on, together. */
  readonly durationMs: number;
  readonly durationMaxMs: number;
}

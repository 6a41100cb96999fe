import type { GapCause, ReplayMark } from '@event-manager/core';
import type { JsonObject } from '@event-manager/core/portable';
import type { DescribedSubscription } from '../http/described-subscription.ts';
import type { ProblemFields } from '../http/problem-error.ts';

/*
 * The frames of the WebSocket protocol, as `docs/protocol.md` describes them: JSON texts, one object each, told apart by
 * `type`. `ref` is a number of ours that an answer repeats.
 */

export const PROTOCOL = 'event-manager.v1';

/** The first frame of the service on every connection. */
export interface HelloFrame {
  readonly type: 'hello';
  readonly limits: {
    /** Events that may be unanswered on one connection. */
    readonly windowEvents: number;
    readonly frameBytesMax: number;
  };
}

/** What became of one published event. */
export type PublishAnswer =
  | { readonly id: string; readonly cursor: string; readonly duplicate: boolean; readonly scheduledFor?: string }
  | { readonly error: ProblemFields };

export interface PublishedFrame {
  readonly type: 'published';
  readonly answers: readonly PublishedAnswer[];
}

export interface PublishedAnswer {
  readonly ref: number;
  /** For a frame with one event. */
  readonly result?: PublishAnswer;
  readonly results?: readonly PublishAnswer[];
  /** Nothing of the frame was looked at. */
  readonly error?: ProblemFields;
}

/** One event owed to a subscription. */
export interface DeliveryEntry {
  /** Of this connection; the answer names it. */
  readonly delivery: number;
  readonly attempt: number;
  readonly replay?: ReplayMark;
  /** Another one than before: it is owed anew, whatever was answered. Absent for the first. */
  readonly life?: string;
  readonly cursor: string;
  readonly event: JsonObject;
}

export type AnswerFrame =
  | { readonly type: 'subscribed'; readonly ref: number; readonly subscription: DescribedSubscription }
  | { readonly type: 'unsubscribed' | 'detached' | 'unstreamed'; readonly ref: number }
  | { readonly type: 'streaming'; readonly ref: number; readonly stream: string; readonly cursor: string };

/** Whom it is for. */
interface Addressed {
  readonly subscription: string;
  /** As which member it was attached, if it named one. */
  readonly member?: string;
}

export type DeliveringFrame =
  | (Addressed & { readonly type: 'delivery'; readonly deliveries: readonly DeliveryEntry[] })
  | (Addressed & { readonly type: 'progress'; readonly cursor: string })
  /** Nothing more comes on this connection, and it was not this client that wished so. */
  | (Addressed & { readonly type: 'detached'; readonly ref?: undefined; readonly reason: string });

export type StreamingFrame =
  | { readonly type: 'event'; readonly stream: string; readonly cursor: string; readonly event: JsonObject }
  | { readonly type: 'gap'; readonly stream: string; readonly cursor: string; readonly cause: GapCause }
  | { readonly type: 'cursor'; readonly stream: string; readonly cursor: string };

export type ServerFrame =
  | HelloFrame
  | PublishedFrame
  | AnswerFrame
  | DeliveringFrame
  | StreamingFrame
  | { readonly type: 'pong' }
  | { readonly type: 'error'; readonly ref?: number; readonly error: ProblemFields };

import type { JsonObject, JsonValue } from '@event-manager/core';

/** What the client chose to find the answer by. */
export type Ref = string | number;

/** A frame as a client may send it; `docs/protocol.md` says what each means. */
export type ClientFrame =
  | { readonly type: 'publish'; readonly ref: Ref; readonly event: JsonValue }
  | { readonly type: 'publish'; readonly ref: Ref; readonly events: readonly JsonValue[] }
  | StreamFrameIn
  | { readonly type: 'unstream'; readonly ref: Ref; readonly stream: string }
  | { readonly type: 'subscribe'; readonly ref: Ref; readonly subscription: JsonValue; readonly member?: string }
  | {
      readonly type: 'unsubscribe' | 'detach';
      readonly ref: Ref;
      readonly subscription: string;
      readonly member?: string;
      /** Of `detach`: time for what is under way. */
      readonly drainMs?: number;
    }
  | {
      readonly type: 'subscribe' | 'unsubscribe';
      readonly ref?: Ref;
      readonly eventTypes: readonly string[];
      /** Of `subscribe`: a cursor to go on from. */
      readonly from?: string;
    }
  | { readonly type: 'ack'; readonly deliveries: readonly number[] }
  /** Given back unhandled, by a client that leaves: costs no failure. */
  | { readonly type: 'release'; readonly deliveries: readonly number[] }
  | NackFrame
  | { readonly type: 'ping' };

export interface StreamFrameIn {
  readonly type: 'stream';
  readonly ref: Ref;
  readonly topics?: readonly string[];
  readonly filter?: JsonValue;
  readonly from?: string;
  readonly subscriber?: string;
  readonly context?: JsonValue;
}

export interface NackFrame {
  readonly type: 'nack';
  readonly deliveries: readonly number[];
  /** `false` makes the deliveries dead letters at once. Default: true. */
  readonly retry?: boolean;
  /** Why, in words that are kept with the delivery. */
  readonly error?: string;
  /** What is kept with it besides. */
  readonly metadata?: JsonObject;
  /** Not before so many milliseconds. */
  readonly afterMs?: number;
}

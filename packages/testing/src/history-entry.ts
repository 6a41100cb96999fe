/** How what was owed to a subscription ended, if not by a delivery. `owed` is what is still waiting when the run ends. */
export const END_STATES = ['owed', 'deadLettered', 'discarded', 'expired', 'skipped', 'withdrawn', 'removed'] as const;
export type EndState = (typeof END_STATES)[number];

/** A subscription exists. Only those declared are checked. */
export interface SubscribeEntry {
  readonly kind: 'subscribe';
  readonly subscription: string;
  /** What was promised about order: inside each lane when absent. */
  readonly order?: OrderPromise;
  /**
   * Its receivers sit at several places, and what is handed to one takes up to so long on its way: of two first attempts inside
   * a lane the earlier event may be seen so much later. What was lost on the way comes as a later attempt, of which no order is
   * promised.
   */
  readonly besideMs?: number;
}

/** Event n + 1 of a key is first delivered after n is settled; `park`: after a dead letter only once somebody released the key. */
export interface OrderPromise {
  readonly by: 'topic' | 'key';
  readonly onFailure: 'block' | 'park' | 'skip';
}

/** A client is about to publish. A second try of the same event is a second entry with the same id. */
export interface InvokeEntry {
  readonly kind: 'invoke';
  readonly client: string;
  readonly id: string;
  /** Who is to get it; every declared subscription when absent. */
  readonly subscriptions?: readonly string[];
  /** Of the content, made by the client; deliveries must show the same. */
  readonly digest?: string;
  /** Order is promised inside a lane. One lane for all when absent. */
  readonly lane?: number;
  /** Those of `subscriptions` that may also end without it: it expires, or a definition changes meanwhile. */
  readonly optional?: readonly string[];
  /** It is appended some time after it was acknowledged: only its position says where it stands. */
  readonly isLater?: boolean;
  /** By what ordered subscriptions hold it back. */
  readonly keys?: Readonly<Record<OrderPromise['by'], string>>;
}

/** How a publish ended: acknowledged, surely not stored, or nobody knows. An invocation without an end is unknown, too. */
export interface CompleteEntry {
  readonly kind: 'ok' | 'fail' | 'unknown';
  readonly id: string;
  /** Where it stands in the log, if the answer told. */
  readonly position?: number;
}

/** A receiver got an event. `failed` when it then told so: the next delivery of it is a retry and not a duplicate. */
export interface DeliverEntry {
  readonly kind: 'deliver';
  readonly subscription: string;
  readonly id: string;
  readonly attempt?: number;
  readonly digest?: string;
  readonly failed?: boolean;
  /** On a clock that does not jump, milliseconds. */
  readonly atMs?: number;
  /** The same for everything that came in one batch, which is taken or refused as a whole. */
  readonly call?: number;
}

/** The receiver took what it was given before, and knows that this was heard; until then its delivery counts as refused. */
export interface AckEntry {
  readonly kind: 'ack';
  readonly subscription: string;
  readonly id: string;
  /** That of the `maybe-ack` which this answers, where there was one. */
  readonly attempt?: number;
}

/** The receiver said that it took it. Whether that was heard `ack` or `stale` of the same attempt tell later, or nothing does. */
export interface MaybeAckEntry {
  readonly kind: 'maybe-ack';
  readonly subscription: string;
  readonly id: string;
  readonly attempt: number;
}

/** It was told that what it said came too late: its delivery counts as refused. */
export interface StaleEntry {
  readonly kind: 'stale';
  readonly subscription: string;
  readonly id: string;
  readonly attempt: number;
}

/** Somebody cancelled an event that was for later. `isSure` when nobody can see it any more; else it may come or not. */
export interface CancelEntry {
  readonly kind: 'cancel';
  readonly id: string;
  readonly isSure: boolean;
}

/** Service of a subscription ended abruptly: what was not durable by then comes again. */
export interface InterruptEntry {
  readonly kind: 'interrupt';
  readonly subscription: string;
}

/**
 * Somebody released a parked key. It takes effect some time between being asked for and being answered: without `step` at
 * once, else this entry is the one or the other.
 */
export interface ReleaseEntry {
  readonly kind: 'release';
  readonly subscription: string;
  readonly key: string;
  readonly step?: 'asked' | 'answered';
}

export interface EndEntry {
  readonly kind: 'end';
  readonly subscription: string;
  readonly id: string;
  readonly state: EndState;
}

/** What somebody outside the product saw. The order of entries is the order in which it was seen. */
export type HistoryEntry =
  | SubscribeEntry
  | InvokeEntry
  | CompleteEntry
  | CancelEntry
  | DeliverEntry
  | AckEntry
  | MaybeAckEntry
  | StaleEntry
  | InterruptEntry
  | ReleaseEntry
  | EndEntry;

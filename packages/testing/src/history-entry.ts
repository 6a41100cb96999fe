/** How what was owed to a subscription ended, if not by a delivery. `owed` is what is still waiting when the run ends. */
export const END_STATES = ['owed', 'deadLettered', 'discarded', 'expired', 'skipped', 'withdrawn', 'removed'] as const;
export type EndState = (typeof END_STATES)[number];

/** A subscription exists. Only those declared are checked. */
export interface SubscribeEntry {
  readonly kind: 'subscribe';
  readonly subscription: string;
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
}

export interface EndEntry {
  readonly kind: 'end';
  readonly subscription: string;
  readonly id: string;
  readonly state: EndState;
}

/** What somebody outside the product saw. The order of entries is the order in which it was seen. */
export type HistoryEntry = SubscribeEntry | InvokeEntry | CompleteEntry | DeliverEntry | EndEntry;

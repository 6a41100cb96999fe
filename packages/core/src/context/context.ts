/** Whom and what a subscriber works for at the moment: what makes an event relevant to it. */
export interface RelevanceContext {
  readonly userIds: readonly string[];
  readonly projectIds: readonly string[];
  readonly sessionIds: readonly string[];
}

/** A context as it is registered for a subscriber. */
export interface SubscriberContext extends RelevanceContext {
  readonly subscriber: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

/** What `registerContext` takes: what is left out is empty, but something has to be given. */
export interface RelevanceContextIn {
  readonly userIds?: readonly string[] | undefined;
  readonly projectIds?: readonly string[] | undefined;
  readonly sessionIds?: readonly string[] | undefined;
  readonly [spelling: string]: unknown;
}

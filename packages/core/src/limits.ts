/**
 * Every limit of the product with its default and its reason. Each is a setting of the same name; exceeding one is an
 * error that names it. Sizes are bytes of UTF-8 unless the name says otherwise.
 */
export interface Limits {
  /** One encoded event. Larger facts belong in an object store, with a reference in the event (as EventBridge, MCP: 256 KiB). */
  readonly eventBytesMax: number;
  /** One JSON request body: sixteen events of the largest size, so that one request cannot hold much memory. */
  readonly bodyBytesMax: number;
  /** JSON values in one request body: reading a million tiny ones would hold up everybody else for a second. */
  readonly bodyValuesMax: number;
  /** Bytes of all bodies that are being read: slow senders together must not take the memory of the process. */
  readonly bodiesBytesMax: number;
  /** Nesting of JSON. `JSON.stringify` throws far below what `JSON.parse` accepts: an event must be re-sendable. */
  readonly depthMax: number;
  /** Characters of a topic ([specification] VARCHAR(500)). */
  readonly topicCharactersMax: number;
  /** Levels of a topic: bounds the work of matching. */
  readonly topicLevelsMax: number;
  /** Characters of type, source and service name ([specification] VARCHAR(255)). */
  readonly nameCharactersMax: number;
  /** Characters of a webhook endpoint ([specification] VARCHAR(500)). */
  readonly endpointCharactersMax: number;
  /** Tags per event. */
  readonly tagsMax: number;
  /** Events in one batch. */
  readonly batchEventsMax: number;
  /** Events whose bodies are kept in memory, for the whole process ([specification] `queue.maxSize`). */
  readonly queueMaxSize: number;
  /** Bytes of those bodies. */
  readonly queueBytesMax: number;
  /** Positions one lane of one subscription holds before it reads back from the store. */
  readonly laneEntriesMax: number;
  /** Deliveries of a subscription that are claimed or settled but not yet durably settled: the most a crash can duplicate. */
  readonly inFlightMax: number;
  /** Deliveries of a subscription that wait for a retry; at the cap claiming stops. */
  readonly owedMax: number;
  /** Keys of an ordered subscription that wait for a retry or for their release; at the cap claiming stops. */
  readonly blockedKeysMax: number;
  /** Events waiting for the store before `publish` refuses with `overloaded`. */
  readonly publishWaitingMax: number;
  /** Bytes of those events. */
  readonly publishWaitingBytesMax: number;
  readonly subscriptionsMax: number;
  /** Characters of all definitions of subscriptions with their filters: they are kept in memory. */
  readonly subscriptionsCharactersMax: number;
  /** Topics that are declared; those that are only published to are not counted. */
  readonly topicsMax: number;
  /** The JSON Schema of a topic: compiling takes time that grows with it. */
  readonly schemaBytesMax: number;
  /** Characters of all declared topics with every version of their schemas: they are kept in memory. */
  readonly topicsCharactersMax: number;
  /** Events that wait for their time. The journal keeps them on disk, but 400 bytes of each in memory, and reads 25 µs at its start. */
  readonly scheduledMax: number;
  /** Values in one list of a filter, and nodes of one filter. */
  readonly filterEntriesMax: number;
  /** Characters of one filter as it is kept: every event is held against it. */
  readonly filterCharactersMax: number;
  /** Ids in one context of a subscriber. */
  readonly contextEntriesMax: number;
  /** Subscribers with a context: all of them are kept in memory. */
  readonly contextsMax: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  eventBytesMax: 256 * 1024,
  bodyBytesMax: 4 * 1024 * 1024,
  bodyValuesMax: 100_000,
  bodiesBytesMax: 256 * 1024 * 1024,
  depthMax: 64,
  topicCharactersMax: 500,
  topicLevelsMax: 32,
  nameCharactersMax: 255,
  endpointCharactersMax: 500,
  tagsMax: 100,
  batchEventsMax: 10_000,
  queueMaxSize: 10_000,
  queueBytesMax: 64 * 1024 * 1024,
  laneEntriesMax: 10_000,
  inFlightMax: 1_000,
  owedMax: 10_000,
  blockedKeysMax: 10_000,
  publishWaitingMax: 10_000,
  publishWaitingBytesMax: 64 * 1024 * 1024,
  subscriptionsMax: 100_000,
  subscriptionsCharactersMax: 128 * 1024 * 1024,
  topicsMax: 10_000,
  schemaBytesMax: 64 * 1024,
  topicsCharactersMax: 64 * 1024 * 1024,
  scheduledMax: 100_000,
  filterEntriesMax: 1_000,
  filterCharactersMax: 64 * 1024,
  contextEntriesMax: 1_000,
  contextsMax: 1_000,
});

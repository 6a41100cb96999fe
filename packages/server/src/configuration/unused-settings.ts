import { type SettingRow, someText, wholeNumber, yesOrNo } from './setting.ts';

/** A setting that is known by name and has no effect in this version. Who gives it is told, so that nobody relies on it. */
export interface UnusedSetting extends SettingRow<unknown> {
  /** Completes the sentence "It has no effect: …": what happens instead. */
  readonly instead: string;
  /** Settings that this one makes superfluous when both are given. */
  readonly beats?: readonly string[];
}

const NO_ASSISTANCE = 'nothing is subscribed for an assistance service; create its subscription';
const ONLY_A_HOST = `webhooks may call its host, but ${NO_ASSISTANCE}`;
const GATHERED = 'the store gathers by itself what waits while it writes';

/** Names of the specification whose features come with a later version, or are not needed. */
export const UNUSED_SETTINGS = {
  vectorStoreUrl: {
    variable: 'EVENT_MANAGER_VECTOR_STORE_URL',
    aliases: ['VECTOR_STORE_URL'],
    reader: someText,
    secret: true,
    instead: 'no log of contexts is kept',
    reason: 'A vector store for semantic search.',
  },
  queueBatchSize: {
    variable: 'EVENT_MANAGER_QUEUE_BATCH_SIZE',
    reader: wholeNumber(1, 100_000),
    instead: GATHERED,
    reason: 'Events written together.',
  },
  queueFlushIntervalMs: {
    variable: 'EVENT_MANAGER_QUEUE_FLUSH_INTERVAL_MS',
    spellings: ['queueFlushInterval'],
    reader: wholeNumber(0, 3_600_000),
    instead: GATHERED,
    reason: 'Time after which a smaller batch is written.',
  },
  aasWebhookUrl: {
    variable: 'AAS_WEBHOOK_URL',
    reader: someText,
    secret: true,
    instead: ONLY_A_HOST,
    beats: ['aasServiceUrl', 'aasWebhookEndpoint'],
    reason: 'Where the assistance service takes events.',
  },
  aasWebsocketUrl: {
    variable: 'AAS_WEBSOCKET_URL',
    reader: someText,
    secret: true,
    instead: ONLY_A_HOST,
    beats: ['aasServiceUrl', 'aasWebsocketEndpoint'],
    reason: 'Where the assistance service takes events over WebSocket.',
  },
  aasServiceUrl: {
    variable: 'AAS_SERVICE_URL',
    reader: someText,
    secret: true,
    instead: ONLY_A_HOST,
    reason: 'The assistance service; the endpoints are behind it.',
  },
  aasWebhookEndpoint: {
    variable: 'AAS_WEBHOOK_ENDPOINT',
    reader: someText,
    instead: NO_ASSISTANCE,
    reason: 'Path of its webhook.',
  },
  aasWebsocketEndpoint: {
    variable: 'AAS_WEBSOCKET_ENDPOINT',
    reader: someText,
    instead: NO_ASSISTANCE,
    reason: 'Path of its WebSocket.',
  },
  aasRealtimeEnabled: {
    variable: 'AAS_REALTIME_ENABLED',
    reader: yesOrNo,
    instead: NO_ASSISTANCE,
    reason: 'Whether its WebSocket is used.',
  },
  aasBatchSize: {
    variable: 'AAS_BATCH_SIZE',
    reader: wholeNumber(1, 100_000),
    instead: NO_ASSISTANCE,
    reason: 'Events it is sent at once.',
  },
  aasRateLimitPerMinute: {
    variable: 'AAS_RATE_LIMIT_PER_MINUTE',
    reader: wholeNumber(1, 100_000_000),
    instead: NO_ASSISTANCE,
    reason: 'Events it is sent in a minute.',
  },
  eventBusAdapter: {
    variable: 'EVENT_BUS_ADAPTER',
    reader: someText,
    instead: 'it is of the embedded bus; the service is told by EVENT_MANAGER_ADAPTER',
    reason: 'The adapter of the embedded bus.',
  },
  eventBusMemoryPersist: {
    variable: 'EVENT_BUS_MEMORY_PERSIST',
    reader: yesOrNo,
    instead: 'it is of the embedded bus; the service keeps events unless its adapter is memory',
    reason: 'Whether the embedded bus keeps events on disk.',
  },
} satisfies Readonly<Record<string, UnusedSetting>>;

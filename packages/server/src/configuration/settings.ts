import { DEFAULT_RETRY_POLICY, type Limits } from '@event-manager/core';
import { DATABASE_SETTINGS } from './database-settings.ts';
import { REDIS_SETTINGS } from './redis-settings.ts';
import {
  oneOf,
  oneOfInAnyCase,
  type Setting,
  setting,
  someOrigins,
  someText,
  someTexts,
  wholeNumber,
  yesOrNo,
} from './setting.ts';

const MINUTE_MS = 60_000;
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS;
const GIB = 1024 ** 3;
/** A hundred years. */
const AGE_MS_MAX = 100 * 365 * 24 * 60 * MINUTE_MS;

/**
 * Every setting of the service except the limits: one row each, nothing is read anywhere else. A new setting is a new row;
 * then `npm run pages` writes docs/configuration.md anew. In a file a name may be split
 * into tables at any of its words: `metricsPort` is also `port` in `[metrics]`.
 */
export const SETTINGS = {
  port: setting({
    variable: 'EVENT_MANAGER_PORT',
    aliases: ['PORT'],
    flag: 'port',
    reader: wholeNumber(0, 65_535),
    fallback: 3004,
    reason: 'Where HTTP listens; 0 takes any free port.',
  }),
  host: setting({
    variable: 'EVENT_MANAGER_HOST',
    flag: 'host',
    reader: someText,
    fallback: '127.0.0.1',
    reason: 'Which address listens; only loopback as long as there is no authentication.',
  }),
  allowUnauthenticated: setting({
    variable: 'EVENT_MANAGER_ALLOW_UNAUTHENTICATED',
    reader: yesOrNo,
    fallback: false,
    reason: 'Lets the service listen beyond this machine although anybody who reaches it may do everything.',
  }),
  dataDir: setting<string | undefined>({
    variable: 'EVENT_MANAGER_DATA_DIR',
    flag: 'data-dir',
    reader: someText,
    fallback: undefined,
    reason: 'Where the journal lives; by default event-manager in the data directory of the user (XDG).',
  }),
  config: setting<string | undefined>({
    variable: 'EVENT_MANAGER_CONFIG',
    flag: 'config',
    reader: someText,
    fallback: undefined,
    reason: 'A TOML file with settings; what the environment or the command line says beats it.',
  }),
  adapter: setting<'journal' | 'postgres' | 'redis' | 'memory'>({
    variable: 'EVENT_MANAGER_ADAPTER',
    flag: 'adapter',
    reader: oneOf('journal', 'postgres', 'redis', 'memory'),
    fallback: 'journal',
    reason:
      'Where events are kept: postgres when `databaseUrl` is given, else journal. redis keeps all in the Redis of `redisUrl`. memory keeps nothing beyond the process and is for trying out.',
  }),
  ...DATABASE_SETTINGS,
  ...REDIS_SETTINGS,
  logLevel: setting<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'>({
    variable: 'EVENT_MANAGER_LOG_LEVEL',
    aliases: ['LOG_LEVEL'],
    live: true,
    reader: oneOfInAnyCase('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    fallback: 'info',
    reason: 'The least urgent lines that are logged; requests are logged from debug on.',
  }),
  topicsStrict: setting({
    variable: 'EVENT_MANAGER_TOPICS_STRICT',
    reader: yesOrNo,
    fallback: false,
    reason: 'Refuses events on topics that were not declared, so that a mistyped topic is an error.',
  }),
  webhookAllow: setting({
    variable: 'EVENT_MANAGER_WEBHOOK_ALLOW',
    live: true,
    reader: someTexts,
    fallback: [],
    reason: 'What webhooks may call beyond the public internet: loopback, addresses, ranges, host names.',
  }),
  retryMaxRetries: setting({
    variable: 'EVENT_MANAGER_RETRY_MAX_RETRIES',
    reader: wholeNumber(0, 1_000),
    fallback: DEFAULT_RETRY_POLICY.maxRetries,
    reason: 'Retries after the first attempt, for new subscriptions that have no retry policy of their own.',
  }),
  retryBackoffStrategy: setting({
    variable: 'EVENT_MANAGER_RETRY_BACKOFF_STRATEGY',
    reader: oneOf('fixed', 'linear', 'exponential'),
    fallback: DEFAULT_RETRY_POLICY.backoffStrategy,
    reason: 'How the wait of such a subscription grows with each failure.',
  }),
  retryInitialDelayMs: setting({
    variable: 'EVENT_MANAGER_RETRY_INITIAL_DELAY_MS',
    spellings: ['retryInitialDelay'],
    reader: wholeNumber(0, WEEK_MS),
    fallback: DEFAULT_RETRY_POLICY.initialDelay,
    reason: 'Its wait after the first failure.',
  }),
  retryMaxDelayMs: setting({
    variable: 'EVENT_MANAGER_RETRY_MAX_DELAY_MS',
    spellings: ['retryMaxDelay'],
    reader: wholeNumber(0, WEEK_MS),
    fallback: DEFAULT_RETRY_POLICY.maxDelay,
    reason: 'Its longest wait.',
  }),
  retryJitter: setting({
    variable: 'EVENT_MANAGER_RETRY_JITTER',
    reader: yesOrNo,
    fallback: DEFAULT_RETRY_POLICY.jitter,
    reason: 'Whether its waits are spread, so that what failed together does not come back together.',
  }),
  requestTimeoutMs: setting({
    variable: 'EVENT_MANAGER_REQUEST_TIMEOUT_MS',
    reader: wholeNumber(1_000, 60 * MINUTE_MS),
    fallback: 2 * MINUTE_MS,
    reason: 'Time for a request to arrive as a whole, so that a trickle does not hold a connection for ever.',
  }),
  connectionTimeoutMs: setting({
    variable: 'EVENT_MANAGER_CONNECTION_TIMEOUT_MS',
    reader: wholeNumber(1_000, 60 * MINUTE_MS),
    fallback: MINUTE_MS,
    reason: 'A connection without a byte in either direction for so long is closed; heartbeats keep streams alive.',
  }),
  keepAliveTimeoutMs: setting({
    variable: 'EVENT_MANAGER_KEEP_ALIVE_TIMEOUT_MS',
    reader: wholeNumber(0, 60 * MINUTE_MS),
    fallback: 72_000,
    reason: 'How long an idle connection stays open: longer than the 60 s of usual load balancers.',
  }),
  headerBytesMax: setting({
    variable: 'EVENT_MANAGER_HEADER_BYTES_MAX',
    reader: wholeNumber(1_024, 1024 * 1024),
    fallback: 16 * 1024,
    reason: 'Bytes of request line and headers together (as Node and nginx do by default).',
  }),
  connectionsMax: setting({
    variable: 'EVENT_MANAGER_CONNECTIONS_MAX',
    live: true,
    reader: wholeNumber(1, 1_000_000),
    fallback: 10_000,
    reason: 'Connections at once; more are closed at once, which a load balancer understands.',
  }),
  answersBytesMax: setting({
    variable: 'EVENT_MANAGER_ANSWERS_BYTES_MAX',
    live: true,
    reader: wholeNumber(1024 * 1024, 1024 ** 4),
    fallback: 256 * 1024 * 1024,
    reason:
      'Bytes of all answers over HTTP that clients have not read yet; more is refused, so that slow readers cannot take the memory.',
  }),
  streamsMax: setting({
    variable: 'EVENT_MANAGER_STREAMS_MAX',
    live: true,
    reader: wholeNumber(0, 1_000_000),
    fallback: 2_000,
    reason: 'Event streams at once, so that they cannot take every connection.',
  }),
  streamHeartbeatMs: setting({
    variable: 'EVENT_MANAGER_STREAM_HEARTBEAT_MS',
    live: true,
    reader: wholeNumber(10, 60 * MINUTE_MS),
    fallback: 15_000,
    reason: 'A comment is sent to an idle stream so often: proxies close what is silent for 30 to 60 s.',
  }),
  streamStallMs: setting({
    variable: 'EVENT_MANAGER_STREAM_STALL_MS',
    live: true,
    reader: wholeNumber(10, 60 * MINUTE_MS),
    fallback: 10_000,
    reason: 'A reader that takes nothing for so long is cut; it continues from its cursor.',
  }),
  allowedOrigins: setting({
    variable: 'EVENT_MANAGER_ALLOWED_ORIGINS',
    live: true,
    reader: someOrigins,
    fallback: [],
    reason:
      'Origins of web pages, exactly as browsers send them, that may use HTTP (CORS) and WebSocket; the own one always may.',
  }),
  wsConnectionsMax: setting({
    variable: 'EVENT_MANAGER_WS_CONNECTIONS_MAX',
    live: true,
    reader: wholeNumber(0, 1_000_000),
    fallback: 9_000,
    reason: 'WebSockets at once; fewer than connectionsMax, so that a request always finds a connection.',
  }),
  wsHeartbeatMs: setting({
    variable: 'EVENT_MANAGER_WS_HEARTBEAT_MS',
    reader: wholeNumber(100, 60 * MINUTE_MS),
    fallback: 30_000,
    reason:
      'A WebSocket that is silent for so long is pinged, and cut when it is silent for as long again: most proxies wait 60 s.',
  }),
  wsStallMs: setting({
    variable: 'EVENT_MANAGER_WS_STALL_MS',
    live: true,
    reader: wholeNumber(100, 60 * MINUTE_MS),
    fallback: 10_000,
    reason: 'A WebSocket that takes nothing of what waits for it for so long is cut; it continues from its cursor.',
  }),
  wsPendingBytesMax: setting({
    variable: 'EVENT_MANAGER_WS_PENDING_BYTES_MAX',
    reader: wholeNumber(64 * 1024, GIB),
    fallback: 1024 * 1024,
    reason: 'Bytes that may wait for one WebSocket, twice limits.eventBytesMax at the least; with more it is cut.',
  }),
  wsFrameBytesMax: setting<number | undefined>({
    variable: 'EVENT_MANAGER_WS_FRAME_BYTES_MAX',
    reader: wholeNumber(1_024, GIB),
    fallback: undefined,
    reason:
      'Bytes of one frame that a client sends; by default 1 MiB, or twice limits.eventBytesMax where that is more.',
  }),
  wsWindowEvents: setting({
    variable: 'EVENT_MANAGER_WS_WINDOW_EVENTS',
    reader: wholeNumber(1, 1_000_000),
    fallback: 1_024,
    reason: 'Events of one WebSocket that may be unanswered; then nothing more is read from it until some are.',
  }),
  wsCompression: setting({
    variable: 'EVENT_MANAGER_WS_COMPRESSION',
    reader: yesOrNo,
    fallback: false,
    reason: 'Accepts permessage-deflate; costs 40 KiB and processor time for each WebSocket that asks for it.',
  }),
  metricsEnabled: setting({
    variable: 'EVENT_MANAGER_METRICS_ENABLED',
    live: true,
    reader: yesOrNo,
    fallback: true,
    reason:
      'Serve the metrics on a port of their own too, where Prometheus looks for them; GET /metrics is always there.',
  }),
  metricsPort: setting({
    variable: 'EVENT_MANAGER_METRICS_PORT',
    live: true,
    reader: wholeNumber(0, 65_535),
    fallback: 9090,
    reason: 'That port, on the same address; one that is taken is a warning. 0 takes any free port.',
  }),
  stallAfterMs: setting({
    variable: 'EVENT_MANAGER_STALL_AFTER_MS',
    live: true,
    reader: wholeNumber(1_000, 60 * MINUTE_MS),
    fallback: MINUTE_MS,
    reason: 'A subscription that could go on and does not for so long is stalled, and the service not ready.',
  }),
  systemEvents: setting({
    variable: 'EVENT_MANAGER_SYSTEM_EVENTS',
    reader: yesOrNo,
    fallback: true,
    reason: 'Publish what happens to the service itself under $sys; nobody gets it who did not ask for it.',
  }),
  retentionAgeMs: setting<number | undefined>({
    variable: 'EVENT_MANAGER_RETENTION_AGE_MS',
    live: true,
    reader: wholeNumber(1_000, AGE_MS_MAX),
    fallback: undefined,
    reason: 'Events that were stored longer ago than this are removed; by default everything is kept.',
  }),
  retentionBytesMax: setting<number | undefined>({
    variable: 'EVENT_MANAGER_RETENTION_BYTES_MAX',
    live: true,
    reader: wholeNumber(1024 * 1024, 1024 ** 5),
    fallback: undefined,
    reason: 'The oldest events are removed while the log is larger; files of the journal go as a whole, 64 MiB each.',
  }),
  retentionEventsMax: setting<number | undefined>({
    variable: 'EVENT_MANAGER_RETENTION_EVENTS_MAX',
    live: true,
    reader: wholeNumber(1, 1_000_000_000_000),
    fallback: undefined,
    reason: 'The oldest events are removed while there are more.',
  }),
  retentionOwedAgeMs: setting<number | undefined>({
    variable: 'EVENT_MANAGER_RETENTION_OWED_AGE_MS',
    live: true,
    reader: wholeNumber(1_000, AGE_MS_MAX),
    fallback: undefined,
    reason: 'How old an event becomes at most because a subscription is owed it still; by default 30 days.',
  }),
  retentionOwedBytesMax: setting<number | undefined>({
    variable: 'EVENT_MANAGER_RETENTION_OWED_BYTES_MAX',
    live: true,
    reader: wholeNumber(1024 * 1024, 1024 ** 5),
    fallback: undefined,
    reason: 'How large the log becomes at most because of what is owed; by default as large as it takes.',
  }),
  deliveryLogRetentionMs: setting({
    variable: 'EVENT_MANAGER_DELIVERY_LOG_RETENTION_MS',
    reader: wholeNumber(1_000, AGE_MS_MAX),
    fallback: 7 * 24 * 60 * MINUTE_MS,
    reason: 'For so long it is kept how deliveries ended that failed or waited, at most 10,000 of a subscription.',
  }),
  deadLetterConfirmAbove: setting({
    variable: 'EVENT_MANAGER_DEAD_LETTER_CONFIRM_ABOVE',
    reader: wholeNumber(0, 1_000_000_000),
    fallback: 1_000,
    reason: 'A redrive or discard of more dead letters has to say how many it means: a slip must not deliver them all.',
  }),
  deadLetterRedrivesMax: setting({
    variable: 'EVENT_MANAGER_DEAD_LETTER_REDRIVES_MAX',
    reader: wholeNumber(1, 1_000_000),
    fallback: 10,
    reason:
      'How often one delivery may be redriven, unless that is forced: what dies each time is not mended by trying.',
  }),
  shutdownMs: setting({
    variable: 'EVENT_MANAGER_SHUTDOWN_MS',
    live: true,
    reader: wholeNumber(1_000, 60 * MINUTE_MS),
    fallback: 8_000,
    reason: 'Time to finish what is under way after SIGTERM, below the 10 s that container runtimes give.',
  }),
} as const;

type Values<Table> = { readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value> ? Value : never };

/** All settings with their values, read and checked. */
export type Configuration = Omit<Values<typeof SETTINGS>, 'dataDir'> & {
  readonly dataDir: string;
  readonly limits: Limits;
  /** Hosts that the settings of the assistance service name; webhooks may call them. */
  readonly assistanceHosts: readonly string[];
};

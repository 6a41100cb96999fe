import type { IncomingMessage, Server } from 'node:http';
import { type Runtime, refuseUnknownOptions, systemRuntime } from '@event-manager/core';
import type { BridgeOptions } from './web-socket-event-bridge.ts';

/** What `new EventIntegratedWebSocketManager()` takes; all of it has a default. */
export interface BrowserOptions {
  /** Of the server that it opens. Default: 3002; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Default: 127.0.0.1, this machine alone. */
  readonly host?: string | undefined;
  /** A server that listens already, or will: then none is opened, and `port` and `host` are those of this one. */
  readonly server?: Server | undefined;
  /** Default: `/ws`. */
  readonly path?: string | undefined;
  /** Pages at once; who comes when it is full is told to come later (1013). Default: 1,000. */
  readonly maxConnections?: number | undefined;
  /** Those of one address at once, told the same. Of version 6 a whole /64 is one. Default: as many as there is room for. */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * Whose connection it is. Default: the address at the other end, which behind a proxy is that of the proxy for everybody; then this
   * reads a header that the proxy sets. `undefined` is not counted; what it throws is a 401.
   */
  readonly addressOf?: ((request: IncomingMessage) => string | undefined) | undefined;
  /** Between two pings, in milliseconds; who is silent from one to the next is gone. Default: 30,000. */
  readonly heartbeatInterval?: number | undefined;
  /** Default: false; it costs some 40 KiB for each page. */
  readonly enableCompression?: boolean | undefined;
  /** Events that wait for one page; beyond it the least urgent are shed, and the page is told. Default: 10,000. */
  readonly messageQueueSize?: number | undefined;
  /** The largest frame that is read of a page, which only ever asks for something. Default: 64 KiB. */
  readonly maxFrameBytes?: number | undefined;
  /** Origins whose pages may connect, exactly as browsers send them, or `any`. Default: those of the host that is asked, on any port. */
  readonly origins?: readonly string[] | 'any' | undefined;
  /** What pages may ever see. Default: everything. */
  readonly topics?: readonly string[] | undefined;
  /** Asked before a page is let in; what it throws or answers with false is a 401. */
  readonly authorize?: ((request: IncomingMessage) => boolean | Promise<boolean>) | undefined;
  /** How events become what pages read. */
  readonly bridge?: BridgeOptions | undefined;
  /** What `close` gives to pages that have something waiting, in milliseconds. Default: 1,000. */
  readonly drainMs?: number | undefined;
  /** Told of what went wrong inside; pages are told only that something did. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  readonly runtime?: Runtime | undefined;
}

type Absent = 'server' | 'authorize' | 'origins' | 'maxConnectionsPerAddress' | 'addressOf';

/** With the defaults. */
export type BrowserSettings = {
  readonly [Name in Exclude<keyof BrowserOptions, Absent>]-?: Exclude<BrowserOptions[Name], undefined>;
} & { readonly [Name in Absent]: BrowserOptions[Name] };

const DEFAULTS = {
  port: 3_002,
  host: '127.0.0.1',
  server: undefined,
  path: '/ws',
  maxConnections: 1_000,
  maxConnectionsPerAddress: undefined,
  addressOf: undefined,
  heartbeatInterval: 30_000,
  enableCompression: false,
  messageQueueSize: 10_000,
  maxFrameBytes: 64 * 1_024,
  origins: undefined,
  topics: ['#'],
  authorize: undefined,
  bridge: {},
  drainMs: 1_000,
  onFailure: () => {},
  runtime: systemRuntime,
} as const satisfies BrowserSettings;

const AT_LEAST_ONE = [
  'maxConnections',
  'maxConnectionsPerAddress',
  'heartbeatInterval',
  'messageQueueSize',
  'maxFrameBytes',
] as const;
/** A longer timer of Node fires at once. */
const HEARTBEAT_MS_MAX = 2 ** 31 - 1;

/** Fills in what is not given. Throws a TypeError for what cannot be meant. */
export function readBrowserOptions(options: BrowserOptions): BrowserSettings {
  refuseUnknownOptions(options, Object.keys(DEFAULTS), 'EventIntegratedWebSocketManager');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: BrowserSettings = { ...DEFAULTS, ...given };
  for (const name of AT_LEAST_ONE) {
    const value = settings[name];
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new TypeError(`${name} is a whole number of at least 1, not ${String(value)}.`);
    }
  }
  if (settings.heartbeatInterval > HEARTBEAT_MS_MAX) {
    throw new TypeError(`heartbeatInterval is at most ${HEARTBEAT_MS_MAX} milliseconds.`);
  }
  if (!settings.path.startsWith('/')) throw new TypeError(`path begins with a slash, unlike ${settings.path}.`);
  return settings;
}

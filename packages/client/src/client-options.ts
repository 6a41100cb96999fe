import {
  type AnyEvents,
  DEFAULT_LIMITS,
  type EventDefinitions,
  type Runtime,
  webRuntime,
} from '@event-manager/core/portable';

/** Every option of a client with its default. Times are milliseconds. */
export interface ClientOptions<Events = AnyEvents> {
  /**
   * How long a publish goes on trying while the service is away or refuses for now. Then it fails with the last reason, and
   * may still have been stored: publish again with the same id to be sure. Default: 30 s.
   */
  readonly publishTimeoutMs?: number;
  /** The same for every request over HTTP. Default: 30 s. */
  readonly requestTimeoutMs?: number;
  /** How long a lost connection is tried again before everything that waits for it fails. Default: for ever. */
  readonly reconnectForMs?: number;
  /** After so long without a word from the service it is asked for one; after the same time again it counts as gone. Default: 15 s. */
  readonly heartbeatMs?: number;
  /** Events that wait for their acknowledgement before `publish` refuses with `overloaded`. Default: 10,000. */
  readonly waitingMax?: number;
  /** Bytes of those events. Default: 64 MiB. */
  readonly waitingBytesMax?: number;
  /** How long `close` waits for handlers that are running. Default: 5 s. */
  readonly drainMs?: number;
  /** Told about every change of the connection. Must not throw. */
  readonly onConnection?: (change: ConnectionChange) => void;
  /** Told when a subscription or a stream of this client ended for good without being asked to. Default: nobody is told. */
  readonly onError?: (error: unknown) => void;
  /** Schemas of the events, made by `defineEvents`: they give the types, and payloads are held against them before they are sent. */
  readonly events?: EventDefinitions<Events>;
  /** Time and chance; for tests. */
  readonly runtime?: Runtime;
}

export type ConnectionChange =
  | { readonly state: 'connected' }
  /** Lost, or not made; it is tried again after `retryAfterMs`, or, when nothing needs it now, as soon as something does. */
  | { readonly state: 'disconnected'; readonly reason: string; readonly retryAfterMs?: number }
  /** What waited for it failed. It is tried again when something new needs it. */
  | { readonly state: 'given-up'; readonly reason: string };

export type ClientSettings = Required<Omit<ClientOptions, 'events'>> & {
  readonly events?: EventDefinitions<unknown>;
};

const SECOND_MS = 1_000;

/** Fills in the defaults. Throws `TypeError` for what cannot be meant. */
export function clientSettings<Events>(options: ClientOptions<Events>): ClientSettings {
  const defaults = {
    publishTimeoutMs: 30 * SECOND_MS,
    requestTimeoutMs: 30 * SECOND_MS,
    reconnectForMs: Number.POSITIVE_INFINITY,
    heartbeatMs: 15 * SECOND_MS,
    waitingMax: DEFAULT_LIMITS.publishWaitingMax,
    waitingBytesMax: DEFAULT_LIMITS.publishWaitingBytesMax,
    drainMs: 5 * SECOND_MS,
    onConnection: () => {},
    onError: () => {},
    runtime: webRuntime,
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name, value] of given) {
    // A mistyped option would otherwise change nothing in silence.
    if (name !== 'events' && !Object.hasOwn(defaults, name)) throw new TypeError(`A client has no option ${name}.`);
    const expected = typeof defaults[name as keyof typeof defaults];
    const isWrong = name !== 'events' && (typeof value !== expected || (expected === 'number' && !(value >= 0)));
    if (isWrong)
      throw new TypeError(`The option ${name} is ${expected === 'number' ? 'a number from 0' : `a ${expected}`}.`);
  }
  return { ...defaults, ...Object.fromEntries(given) };
}

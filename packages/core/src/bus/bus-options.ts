import { assertAdapter } from '../assert-adapter.ts';
import type { EventBusAdapter } from '../contracts/adapter.ts';
import type { EventManagerOptions } from '../event-manager.ts';
import { OPTION_NAMES } from '../option-names.ts';
import { refuseUnknownOptions } from '../refuse-unknown-options.ts';
import { type Runtime, systemRuntime } from '../runtime/runtime.ts';
import type { AnyEvents } from '../typed/event-map.ts';
import type { BusDefaults } from './bus-subscription.ts';
import type { OnHandlerError } from './handler-failures.ts';
import { InMemoryAdapter } from './in-memory-adapter.ts';
import type { PluginIn } from './plugins/plugin.ts';
import type { BusEventStore } from './store/bus-event-store.ts';
import { type Upcaster, Upcasters } from './store/upcasters.ts';
import {
  defaultsOfAdapter,
  readSubscriptionDefaults,
  STANDARD_DEFAULTS,
  type SubscriptionDefaultsIn,
} from './subscription-defaults.ts';

/** What the bus takes beside every option of an event manager. */
export interface BusOwnOptions {
  /** Who publishes: `source` of events that do not say it. */
  readonly name?: string | undefined;
  /** Listeners of one name or pattern, and handlers of one topic, before a warning says that somebody forgets to take them away. */
  readonly maxListeners?: number | undefined;
  /** Counts what `getMetrics` tells. Default: true. */
  readonly enableMetrics?: boolean | undefined;
  /** Keeps events in a journal in `dataDir`, where no adapter is given. Default: false. */
  readonly enablePersistence?: boolean | undefined;
  /** Folder of that journal; made when it is not there. */
  readonly dataDir?: string | undefined;
  /** Time for one middleware, milliseconds. */
  readonly middlewareTimeout?: number | undefined;
  /** Middleware by name or by path, loaded before the first event is published. */
  readonly plugins?: readonly PluginIn[] | undefined;
  /** Keeps events beside the log, and belongs to the bus from then on, as `setEventStore` says. */
  readonly eventStore?: BusEventStore | undefined;
  /** Bring events that handlers get to the current version of their type; what is published without a version has that one. */
  readonly upcasters?: Upcasters | readonly Upcaster[] | undefined;
  /** Told of everything that a listener of `on` throws or rejects with. Default: a warning of the process. */
  readonly onListenerError?: ((error: unknown, name: string) => void) | undefined;
  /** Told of every attempt that a handler of `subscribe` failed. Default: a warning of the process, once for each subscription. */
  readonly onHandlerError?: OnHandlerError | undefined;
  /** Of subscriptions that say nothing about it. */
  readonly defaultSubscriptionOptions?: SubscriptionDefaultsIn | undefined;
}

export interface EventBusOptions<Events = AnyEvents> extends EventManagerOptions<Events>, BusOwnOptions {}

/** The same, complete. */
export interface BusSettings {
  readonly source: string;
  readonly runtime: Runtime;
  readonly maxListeners: number;
  readonly enableMetrics: boolean;
  readonly middlewareTimeoutMs: number;
  readonly plugins: readonly PluginIn[];
  readonly eventStore: BusEventStore | undefined;
  readonly upcasters: Upcasters;
  readonly onListenerError: ((error: unknown, name: string) => void) | undefined;
  readonly onHandlerError: OnHandlerError | undefined;
  readonly defaults: BusDefaults;
}

/** Complete by its type: an option that is missing here does not compile. */
const OWN: { readonly [Name in keyof Required<BusOwnOptions>]: true } = {
  name: true,
  maxListeners: true,
  enableMetrics: true,
  enablePersistence: true,
  dataDir: true,
  middlewareTimeout: true,
  plugins: true,
  eventStore: true,
  upcasters: true,
  onListenerError: true,
  onHandlerError: true,
  defaultSubscriptionOptions: true,
};

const SOURCE = 'event-bus';
const MAX_LISTENERS = 1_000;
const MIDDLEWARE_TIMEOUT_MS = 5_000;

/** Takes the options of the bus apart: what is its own, and what goes to the event manager. Throws TypeError. */
export function readBusOptions<Events>(options: EventBusOptions<Events>): {
  readonly settings: BusSettings;
  readonly adapter: EventBusAdapter;
  readonly managed: EventManagerOptions<Events>;
} {
  refuseUnknownOptions(options, [...Object.keys(OWN), ...OPTION_NAMES], 'EventBus');
  const {
    name = SOURCE,
    maxListeners = MAX_LISTENERS,
    enableMetrics = true,
    enablePersistence = false,
    dataDir,
    middlewareTimeout = MIDDLEWARE_TIMEOUT_MS,
    plugins = [],
    eventStore,
    upcasters = [],
    onListenerError,
    onHandlerError,
    defaultSubscriptionOptions = {},
    ...rest
  } = options;
  assertText('name', name);
  // Zero means no limit, as it does for the emitter of Node.
  assertNumber('maxListeners', maxListeners, 0);
  assertNumber('middlewareTimeout', middlewareTimeout, 1);
  assertFlag('enableMetrics', enableMetrics);
  assertFlag('enablePersistence', enablePersistence);
  assertCallable('onListenerError', onListenerError);
  assertCallable('onHandlerError', onHandlerError);
  if (rest.adapter !== undefined) assertAdapter(rest.adapter, 'EventBus');
  const { runtime } = rest;
  const adapter =
    rest.adapter ?? new InMemoryAdapter({ persistToDisk: enablePersistence, dataDir, ...(runtime ? { runtime } : {}) });
  const said = {
    ...defaultsOfAdapter(adapter),
    ...readSubscriptionDefaults(defaultSubscriptionOptions, 'defaultSubscriptionOptions'),
  };
  const { maxRetries = rest.retryPolicy?.maxRetries ?? STANDARD_DEFAULTS.maxRetries } = said;
  const retryPolicy = { ...rest.retryPolicy, maxRetries };
  return {
    settings: {
      source: name,
      runtime: rest.runtime ?? systemRuntime,
      maxListeners,
      enableMetrics,
      middlewareTimeoutMs: middlewareTimeout,
      plugins,
      eventStore,
      upcasters: upcasters instanceof Upcasters ? upcasters : new Upcasters(upcasters),
      onListenerError,
      onHandlerError,
      defaults: { ...STANDARD_DEFAULTS, ...said, retryPolicy },
    },
    adapter,
    managed: { ...rest, adapter, retryPolicy, ...retentionOf(adapter, rest) },
  };
}

/**
 * What a bus in memory has settled goes once it is older than its history: a process that publishes for weeks would run out
 * of memory otherwise. What is owed stays however old it is.
 */
function retentionOf<Events>(
  adapter: EventBusAdapter,
  { retention }: EventManagerOptions<Events>,
): Pick<EventManagerOptions, 'retention'> {
  if (retention !== undefined || !(adapter instanceof InMemoryAdapter) || !adapter.isForgetful) return {};
  return { retention: { eventsMax: Math.max(1, adapter.maxHistorySize), owedAgeMs: Number.MAX_SAFE_INTEGER } };
}

function assertText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`${name} of an EventBus is a text that is not empty.`);
}

function assertNumber(name: string, value: unknown, min: number): void {
  if (typeof value === 'number' && value >= min) return;
  throw new TypeError(`${name} of an EventBus is a number from ${min} on.`);
}

function assertCallable(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} of an EventBus is a function.`);
}

function assertFlag(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name} of an EventBus is true or false.`);
}

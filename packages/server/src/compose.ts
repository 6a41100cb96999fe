/** The one place that picks adapters, sinks and protocols: adding one is a line here and a package beside this one. */
import {
  type AttemptError,
  Engine,
  type EventBusAdapter,
  EventManagerError,
  type Fallback,
  isEventManagerError,
  memory,
  type RetentionOptions,
  type RetryPolicy,
  type Runtime,
  type Sink,
  type SubscriptionDefinition,
} from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { dialledWebSockets, readWebSocket } from '@event-manager/realtime';
import { ajvSchemas } from '@event-manager/schema';
import {
  type AddressGuard,
  addressGuard,
  checkEndpoint,
  type Sender,
  webhookSender,
  webhookSink,
} from '@event-manager/webhook';
import type { FastifyBaseLogger } from 'fastify';
import type { Configuration } from './configuration/settings.ts';
import type { Life } from './life.ts';
import { atFallback } from './operations/at-fallback.ts';
import type { OperationContext, WebhookSinkDefinition } from './operations/operation-context.ts';
import { type HttpServer, httpServer } from './protocols/http/http-server.ts';
import { type MetricsServer, startMetricsServer } from './protocols/http/metrics-server.ts';
import { testSender } from './test-sender.ts';

export interface Composition {
  readonly engine: Engine;
  readonly http: HttpServer;
  /** Serves the metrics on a port of their own, if the settings say so. */
  listenForMetrics(): Promise<MetricsServer | undefined>;
  /**
   * Makes what the settings of `next` need, and returns how to put it in force once the configuration holds them. Throws
   * `invalid_setting` with nothing changed.
   */
  prepare(next: Configuration): () => void;
  /** Releases what outlives the engine. */
  close(): Promise<void>;
}

export interface CompositionOptions {
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly life: Life;
  readonly logger: FastifyBaseLogger;
  readonly warnings: readonly string[];
}

/** Opens the engine and prepares the protocols; nothing listens yet. Throws what `Engine.open` throws. */
export async function compose(options: CompositionOptions): Promise<Composition> {
  const { configuration, runtime, life, logger, warnings } = options;
  const adapter = pickAdapter(configuration, runtime);
  const guard = changeableGuard(addressGuard({ allow: allowedBy(configuration) }));
  const sender = webhookSender({ guard });
  const sinkOver = (over: Sender) => (sink: WebhookSinkDefinition, batch: boolean) => {
    const { endpoint, secret, headers } = sink;
    return webhookSink({ endpoint, secret, headers, batch, runtime, guard, sender: over });
  };
  const makeSink = sinkOver(sender);
  const webSocketSink = dialledWebSockets({ guard, runtime });
  const engine = await openEngine({ adapter, makeSink, webSocketSink, sender, configuration, runtime });
  const context: OperationContext = {
    engine,
    life,
    streams: new Set(),
    connections: { open: 0, webSockets: 0 },
    durability: adapter.supports.durability,
    warnings,
    checkEndpoints(sink) {
      const check = (webhook: Fallback) => {
        checkEndpoint(webhook.endpoint, guard, configuration.limits.endpointCharactersMax);
        makeSink({ ...webhook, kind: 'webhook' }, false);
      };
      if (sink.kind === 'websocket') readWebSocket(sink, guard);
      else if (sink.kind === 'webhook') check(sink);
      if ('fallback' in sink && sink.fallback) atFallback(() => check(sink.fallback!));
    },
    sendTest: testSender({
      runtime,
      makeSink: (sink, batch, onStatus) => sinkOver(listeningSender(sender, onStatus))(sink, batch),
    }),
  };
  const http = httpServer({ context, configuration, runtime, logger });
  const prepare = (next: Configuration) => {
    const nextGuard = addressGuard({ allow: allowedBy(next) });
    return () => {
      guard.follow(nextGuard);
      logger.level = configuration.logLevel;
      Object.assign(engine.limits, configuration.limits);
      engine.stallAfter(configuration.stallAfterMs);
      engine.retention.follow(retentionOf(configuration));
      http.reconfigured();
    };
  };
  const listenForMetrics = async () =>
    configuration.metricsEnabled ? startMetricsServer({ context, configuration, logger }) : undefined;
  return { engine, http, listenForMetrics, prepare, close: () => sender.close() };
}

/** What the settings name, as hosts to call or as the assistance service, may be called wherever it is. */
function allowedBy({ webhookAllow, assistanceHosts }: Configuration): readonly string[] {
  return [...webhookAllow, ...assistanceHosts];
}

/** Everybody who judges addresses holds this one; what it says can change. Connections that are open stay open. */
function changeableGuard(first: AddressGuard): AddressGuard & { follow(next: AddressGuard): void } {
  let guard = first;
  return {
    refuses: (address) => guard.refuses(address),
    trusts: (hostname) => guard.trusts(hostname),
    follow(next) {
      guard = next;
    },
  };
}

/** Tells the status of each answer; closing it leaves the connections open, which are others' too. */
function listeningSender(sender: Sender, onStatus: (status: number) => void): Sender {
  return {
    async post(request) {
      const response = await sender.post(request);
      onStatus(response.status);
      return response;
    },
    close: async () => {},
  };
}

function pickAdapter({ adapter, dataDir }: Configuration, runtime: Runtime): EventBusAdapter {
  return adapter === 'memory' ? memory({ runtime }) : journal({ directory: dataDir, runtime });
}

async function openEngine(parts: {
  adapter: EventBusAdapter;
  makeSink: (sink: WebhookSinkDefinition, batch: boolean) => Sink;
  webSocketSink: (definition: SubscriptionDefinition) => Sink;
  sender: Sender;
  configuration: Configuration;
  runtime: Runtime;
}): Promise<Engine> {
  const { adapter, makeSink, sender, configuration, runtime } = parts;
  const webhookSinkOf = orRefusing(({ sink, options }) => {
    if (sink.kind !== 'webhook') throw new EventManagerError('internal', 'A webhook is needed.');
    return makeSink(sink, options.batchSize > 1);
  });
  const webSocketSink = orRefusing(parts.webSocketSink);
  try {
    const { limits, stallAfterMs, systemEvents, topicsStrict } = configuration;
    const schemas = ajvSchemas();
    const more = {
      schemas,
      topicsStrict,
      stallAfterMs,
      systemEvents,
      retryPolicy: retryPolicyOf(configuration),
      retention: retentionOf(configuration),
    };
    return await Engine.open({ adapter, runtime, limits, webhookSink: webhookSinkOf, webSocketSink, ...more });
  } catch (error) {
    await sender.close();
    throw error;
  }
}

function retentionOf(configuration: Configuration): RetentionOptions {
  const { retentionAgeMs, retentionBytesMax, retentionEventsMax, retentionOwedAgeMs, retentionOwedBytesMax } =
    configuration;
  return {
    ageMs: retentionAgeMs,
    bytesMax: retentionBytesMax,
    eventsMax: retentionEventsMax,
    owedAgeMs: retentionOwedAgeMs,
    owedBytesMax: retentionOwedBytesMax,
  };
}

function retryPolicyOf(configuration: Configuration): RetryPolicy {
  const { retryMaxRetries, retryBackoffStrategy, retryInitialDelayMs, retryMaxDelayMs, retryJitter } = configuration;
  return {
    maxRetries: retryMaxRetries,
    backoffStrategy: retryBackoffStrategy,
    initialDelay: retryInitialDelayMs,
    maxDelay: retryMaxDelayMs,
    jitter: retryJitter,
  };
}

/**
 * For a subscription that was allowed when it was created and is not any more, because the settings changed. Its deliveries
 * fail one by one and can be looked at; the service starts.
 */
function orRefusing(make: (definition: SubscriptionDefinition) => Sink): (definition: SubscriptionDefinition) => Sink {
  return (definition) => {
    try {
      return make(definition);
    } catch (error) {
      if (!isEventManagerError(error)) throw error;
      return refusingSink({ code: error.code, message: error.message });
    }
  };
}

function refusingSink(error: AttemptError): Sink {
  return { deliver: (batch) => batch.map(() => ({ status: 'retry', error })), close: async () => {} };
}

/** The one place that picks sinks and protocols, as `pick-adapter.ts` picks the adapter: adding one is a line and a package. */
import type { Engine, Fallback, Runtime } from '@event-manager/core';
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
import { openEngine, retentionOf } from './open-engine.ts';
import { atFallback } from './operations/at-fallback.ts';
import type { OperationContext, WebhookSinkDefinition } from './operations/operation-context.ts';
import { type HttpServer, httpServer } from './protocols/http/http-server.ts';
import { type MetricsServer, startMetricsServer } from './protocols/http/metrics-server.ts';
import { testSender } from './test-sender.ts';

export interface Composition {
  readonly engine: Engine;
  /** The name of this process among those that share the store. */
  readonly instance: string;
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
  const guard = changeableGuard(addressGuard({ allow: allowedBy(configuration) }));
  const sender = webhookSender({ guard });
  const sinkOver = (over: Sender) => (sink: WebhookSinkDefinition, batch: boolean) => {
    const { endpoint, secret, headers } = sink;
    return webhookSink({ endpoint, secret, headers, batch, runtime, guard, sender: over });
  };
  const makeSink = sinkOver(sender);
  const webSocketSink = dialledWebSockets({ guard, runtime });
  const opening = openEngine({ makeSink, webSocketSink, schemas: ajvSchemas(), configuration, runtime, logger });
  const { engine, adapter, instance } = await opening.catch(async (error: unknown) => {
    await sender.close();
    throw error;
  });
  const context: OperationContext = {
    engine,
    life,
    streams: new Set(),
    connections: { open: 0, webSockets: 0 },
    durability: adapter.supports.durability,
    instance,
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
  return { engine, instance, http, listenForMetrics, prepare, close: () => sender.close() };
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

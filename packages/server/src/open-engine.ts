import { hostname } from 'node:os';
import {
  type AttemptError,
  createEventIdSource,
  Engine,
  type EventBusAdapter,
  EventManagerError,
  isEventManagerError,
  type RetentionOptions,
  type RetryPolicy,
  type Runtime,
  type SchemaCompiler,
  type Sink,
  type SubscriptionDefinition,
} from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';
import type { Configuration } from './configuration/settings.ts';
import { waitForDatabase } from './database/wait-for-database.ts';
import type { WebhookSinkDefinition } from './operations/operation-context.ts';
import { pickAdapter } from './pick-adapter.ts';

const HOST_CHARACTERS_MAX = 60;
const DRAWN_CHARACTERS = 12;

export interface EngineParts {
  readonly makeSink: (sink: WebhookSinkDefinition, batch: boolean) => Sink;
  readonly webSocketSink: (definition: SubscriptionDefinition) => Sink;
  readonly schemas: SchemaCompiler;
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly logger: FastifyBaseLogger;
}

export interface OpenedEngine {
  readonly engine: Engine;
  readonly adapter: EventBusAdapter;
  /** The name of this process among those that share the store. */
  readonly instance: string;
}

/** Opens the engine on the adapter of the settings. Throws what `Engine.open` throws, after a while when a database is away. */
export async function openEngine(parts: EngineParts): Promise<OpenedEngine> {
  const { makeSink, schemas, configuration, runtime, logger } = parts;
  const instance = drawInstance(runtime);
  const webhookSink = orRefusing(({ sink, options }) => {
    if (sink.kind !== 'webhook') throw new EventManagerError('internal', 'A webhook is needed.');
    return makeSink(sink, options.batchSize > 1);
  });
  const webSocketSink = orRefusing(parts.webSocketSink);
  const open = async () => {
    const adapter = pickAdapter(configuration, runtime);
    const { limits, stallAfterMs, systemEvents, topicsStrict } = configuration;
    const engine = await Engine.open({
      ...{ adapter, runtime, limits, webhookSink, webSocketSink, schemas, topicsStrict, stallAfterMs, systemEvents },
      owner: instance,
      retryPolicy: retryPolicyOf(configuration),
      retention: retentionOf(configuration),
      deliveryLog: { retentionMs: configuration.deliveryLogRetentionMs },
      deadLetters: {
        confirmAbove: configuration.deadLetterConfirmAbove,
        redrivesMax: configuration.deadLetterRedrivesMax,
      },
    });
    return { engine, adapter, instance };
  };
  return waitForDatabase(open, { configuration, runtime, logger });
}

/** The host is for people; what is drawn keeps two starts on one host apart, as it must be where leases are shared. */
function drawInstance(runtime: Runtime): string {
  const drawn = createEventIdSource(runtime)().slice(-DRAWN_CHARACTERS);
  return `${hostname().slice(0, HOST_CHARACTERS_MAX)}-${drawn}`;
}

export function retentionOf(configuration: Configuration): RetentionOptions {
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

import { type Engine, EventManagerError, type Runtime, systemRuntime } from '@event-manager/core';
import type { FastifyBaseLogger } from 'fastify';
import { type Composition, compose } from './compose.ts';
import { isLoopback } from './configuration/is-loopback.ts';
import { type Reconfiguration, reconfigure } from './configuration/reconfigure.ts';
import type { Configuration } from './configuration/settings.ts';
import { Life } from './life.ts';
import { repairAdvice } from './repair-advice.ts';
import { VERSION } from './version.ts';

/** Settings of the port that metrics are served at; a change of one opens or closes it. */
const METRICS_SERVER: ReadonlySet<string> = new Set(['metricsEnabled', 'metricsPort']);

/** A running service. */
export interface Service {
  /** Where to call it. */
  readonly url: string;
  /** Where the metrics are served beside it, if they are. */
  readonly metricsUrl: string | undefined;
  readonly warnings: readonly string[];
  /** Puts the live settings of `next` in force, without a pause. Throws `invalid_setting` with nothing changed. */
  reconfigure(next: Configuration): Reconfiguration;
  /**
   * Ends in order: readiness says no, no more connections, requests under way are answered, attempts of deliveries end,
   * everything is durable, everything is released. What is not finished within `shutdownMs` is cut: events stay owed.
   */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly configuration: Configuration;
  readonly logger: FastifyBaseLogger;
  readonly runtime?: Runtime;
  /** What else whoever looks at the service has to know. */
  readonly warnings?: readonly string[];
}

/** Opens the store, then listens: whoever connects is served at once. Throws what either throws. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { logger, runtime = systemRuntime } = options;
  // Its live settings change while the service runs; the caller's object does not.
  const configuration = { ...options.configuration, limits: { ...options.configuration.limits } };
  const life = new Life();
  const warnings = [...(options.warnings ?? []), ...warningsOf(configuration)];
  const composition = await compose({ configuration, logger, runtime, life, warnings });
  const { engine, instance, http, prepare, close } = composition;
  const url = await listen(composition);
  let metricsServer = await composition.listenForMetrics();
  if (metricsServer?.warning !== undefined) warnings.push(metricsServer.warning);
  let metricsChanged = Promise.resolve();
  const moveMetrics = async () => {
    await metricsServer?.close();
    metricsServer = life.phase === 'serving' ? await composition.listenForMetrics() : undefined;
    if (metricsServer?.warning !== undefined) logger.warn(metricsServer.warning);
  };
  life.enter('serving');
  for (const warning of warnings) logger.warn(warning);
  const advice = adviceOf(engine, configuration, logger);
  const { adapter } = configuration;
  engine.systemEvents.tell('service/started', 'service', { version: VERSION, adapter, instance });
  logger.info({ url, metrics: metricsServer?.url, adapter, instance }, 'listening');

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    life.enter('draining');
    logger.info('draining');
    engine.systemEvents.tell('service/stopping', 'service', { version: VERSION, instance });
    const { shutdownMs } = configuration;
    const beganAtMs = runtime.clock.monotonicMs();
    // Two thirds for what is under way at the edge and in deliveries, the rest for the store.
    const partMs = shutdownMs / 3;
    const cancel = runtime.timers.after(partMs, () => http.cut());
    await http.close();
    cancel();
    await metricsChanged;
    await metricsServer?.close();
    try {
      const leftMs = shutdownMs - (runtime.clock.monotonicMs() - beganAtMs);
      await inTime(engine.close({ drainMs: partMs }), Math.max(0, leftMs), runtime);
    } finally {
      // It rejects when progress did not become durable, or not in time; the rest is released all the same.
      await close();
      life.enter('stopped');
    }
    logger.info('stopped');
  };
  return {
    url,
    get metricsUrl() {
      return metricsServer?.url === undefined ? undefined : `${metricsServer.url}/metrics`;
    },
    warnings: advice === undefined ? warnings : [advice, ...warnings],
    reconfigure(next) {
      const enforce = prepare(next);
      const changes = reconfigure(configuration, next);
      enforce();
      if (changes.inForce.some((name) => METRICS_SERVER.has(name))) metricsChanged = metricsChanged.then(moveMetrics);
      return changes;
    },
    stop: () => (stopping ??= stop()),
  };
}

/** Throws why it cannot, with everything closed. */
async function listen({ engine, http, close }: Composition): Promise<string> {
  try {
    return await http.listen();
  } catch (error) {
    // What closing says matters less than why the service cannot listen.
    await engine.close().catch(() => {});
    await close();
    throw error;
  }
}

/** What to do about a store that takes nothing more. */
function adviceOf(engine: Engine, configuration: Configuration, logger: FastifyBaseLogger): string | undefined {
  const { status, reason } = engine.health().adapter;
  if (status !== 'read-only') return undefined;
  const advice = repairAdvice(configuration);
  logger.error({ reason }, advice);
  return advice;
}

/** A store that is away is not waited for: whoever told us to end kills us soon, and what is owed stays owed. */
function inTime(closing: Promise<void>, leftMs: number, { timers }: Runtime): Promise<void> {
  return new Promise((resolve, reject) => {
    const words = 'The store did not take the last of the progress in time; what was delivered last comes again.';
    const cancel = timers.after(leftMs, () => reject(new EventManagerError('store_unavailable', words)), true);
    closing.finally(cancel).then(resolve, reject);
  });
}

function warningsOf({ host, adapter, webhookAllow }: Configuration): readonly string[] {
  const warnings: string[] = [];
  if (adapter === 'memory') warnings.push('Events are kept in memory only: they are gone when the service stops.');
  if (!isLoopback(host)) {
    warnings.push(`No authentication: whoever reaches ${host} may read, publish and subscribe to everything.`);
  }
  for (const entry of webhookAllow.filter(isBareName)) {
    warnings.push(`webhookAllow takes "${entry}" as the name of a host; the word for this machine is "loopback".`);
  }
  return warnings;
}

/** A host of a container network may be called so, but a misspelt word looks the same and permits nothing. */
function isBareName(entry: string): boolean {
  return entry !== 'loopback' && entry !== 'localhost' && !/[.:]/.test(entry);
}

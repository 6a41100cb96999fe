import { EventManagerError } from '@event-manager/core';
import { type FastifyBaseLogger, fastify } from 'fastify';
import type { Configuration } from '../../configuration/settings.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import { RefusalLog } from './refusal-log.ts';
import { refuseForeignHosts } from './refuse-foreign-hosts.ts';
import { metricsRoutes } from './routes/metrics-routes.ts';
import { sendProblem } from './send-problem.ts';

/** Scrapers are few; whoever opens more connections than this is none. */
const CONNECTIONS_MAX = 64;
const REQUEST_TIMEOUT_MS = 10_000;

export interface MetricsServer {
  /** Where to scrape; absent when the port was taken. */
  readonly url?: string;
  /** What whoever runs the service should know. */
  readonly warning?: string;
  close(): Promise<void>;
}

/**
 * Serves the metrics on a port of their own, where a scraper can be let in without being let in to the events. A port that is
 * taken is no reason not to start: the metrics are on the port of the service as well.
 */
export async function startMetricsServer(options: {
  readonly context: OperationContext;
  readonly configuration: Configuration;
  readonly logger: FastifyBaseLogger;
}): Promise<MetricsServer> {
  const { context, configuration, logger } = options;
  const { host, metricsPort: port, allowUnauthenticated } = configuration;
  const refusals = new RefusalLog(logger);
  const app = fastify({ requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: true });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, refusals));
  app.setNotFoundHandler((request, reply) => {
    const words = 'Only /metrics is served at this port.';
    return sendProblem(new EventManagerError('route_not_found', words), request, reply, refusals);
  });
  if (!allowUnauthenticated) refuseForeignHosts(app);
  metricsRoutes(app, context);
  const close = () => app.close();
  try {
    return { url: await app.listen({ host, port, listenTextResolver: () => 'serving metrics' }), close };
  } catch (error) {
    await close();
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    return { warning: `Metrics are not served at port ${port} (${code}), only at /metrics of the service.`, close };
  }
}

import type { IncomingMessage } from 'node:http';
import { EventManagerError, type Runtime, Turns } from '@event-manager/core';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Configuration } from '../../configuration/settings.ts';
import type { OperationContext } from '../../operations/operation-context.ts';
import { WS_PATH, WsServer } from '../ws/ws-server.ts';
import { allowOrigins } from './allow-origins.ts';
import { BodyBudget } from './body-budget.ts';
import { countConnections } from './count-connections.ts';
import { countRefusedBodies } from './count-refused-bodies.ts';
import { holdAnswers } from './hold-answers.ts';
import { acceptJson } from './json-body.ts';
import { leadsToDocs } from './leads-to-docs.ts';
import { collectRoutes, openApiRoutes } from './openapi.ts';
import { RefusalLog } from './refusal-log.ts';
import { refuseForeignHosts } from './refuse-foreign-hosts.ts';
import { refuseForeignPages } from './refuse-foreign-pages.ts';
import { refuseMalformed, refuseUnusual } from './refuse-malformed.ts';
import { refuseMethods } from './refuse-methods.ts';
import { refuseWithoutHost } from './refuse-without-host.ts';
import { requestIds } from './request-ids.ts';
import { batchRoutes } from './routes/batch-routes.ts';
import { contextRoutes } from './routes/context-routes.ts';
import { deadLetterRoutes } from './routes/dead-letter-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { HEALTH_PATHS, healthRoutes } from './routes/health-routes.ts';
import { keyRoutes } from './routes/key-routes.ts';
import { METRICS_PATH, metricsRoutes } from './routes/metrics-routes.ts';
import { projectionRoutes } from './routes/projection-routes.ts';
import { pullRoutes } from './routes/pull-routes.ts';
import { redriveRoutes } from './routes/redrive-routes.ts';
import { runRoutes } from './routes/run-routes.ts';
import { scheduledRoutes } from './routes/scheduled-routes.ts';
import { type StreamSettings, streamRoutes } from './routes/stream-routes.ts';
import { subscriptionRoutes } from './routes/subscription-routes.ts';
import { topicRoutes } from './routes/topic-routes.ts';
import { webSocketRoute } from './routes/web-socket-route.ts';
import { whyRoutes } from './routes/why-routes.ts';
import { sendProblem } from './send-problem.ts';

export interface HttpServer {
  /** Resolves with the address to call. Rejects with the error of the operating system. */
  listen(): Promise<string>;
  /**
   * Takes no more connections, ends the streams with a hint when to come back, and resolves when the requests under way are
   * answered and the WebSockets were told to come back. `cut` ends what is left.
   */
  close(): Promise<void>;
  cut(): void;
  /** Puts in force what was copied from the configuration. */
  reconfigured(): void;
}

export interface HttpServerOptions {
  readonly context: OperationContext;
  readonly configuration: Configuration;
  readonly runtime: Runtime;
  readonly logger: FastifyBaseLogger;
}

/** Node looks for requests that take too long only so often. */
const TIMEOUTS_EVERY_MS = 1_000;
/** Headers are small: whoever needs longer is broken or hostile. */
const HEADERS_TIMEOUT_MS = 20_000;

/** At ten thousand requests per second a line for each would cost more than the request. */
const REQUEST_LOG_LEVELS: ReadonlySet<string> = new Set(['debug', 'trace']);

export function httpServer(options: HttpServerOptions): HttpServer {
  const { configuration } = options;
  const refusals = new RefusalLog(options.logger);
  const app = makeApp(options, refusals);
  countConnections(app.server, options.context.connections);
  collectRoutes(app, configuration.limits);
  const turns = new Turns(options.runtime);
  app.after(() => declareRoutes(app, options, turns));
  const webSockets = new WsServer({ ...options, turns });
  webSockets.attach(app.server);
  return {
    listen: () =>
      app.listen({
        host: configuration.host,
        port: configuration.port,
        listenTextResolver: () => 'accepting connections',
      }),
    async close() {
      const closed = app.close();
      for (const stream of options.context.streams) stream.close();
      options.context.engine.subscriptions.pulls.endWaiting();
      // The server waits for connections that became WebSockets, too.
      await webSockets.close();
      await closed;
      refusals.ended();
    },
    cut() {
      app.server.closeAllConnections();
      webSockets.cut();
    },
    reconfigured() {
      app.server.maxConnections = configuration.connectionsMax;
    },
  };
}

function makeApp({ configuration, runtime, logger }: HttpServerOptions, refusals: RefusalLog): FastifyInstance {
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: () => !REQUEST_LOG_LEVELS.has(configuration.logLevel) }),
    genReqId: requestIds(runtime.chance),
    requestTimeout: configuration.requestTimeoutMs,
    connectionTimeout: configuration.connectionTimeoutMs,
    keepAliveTimeout: configuration.keepAliveTimeoutMs,
    http: {
      // Node's own refusal has no body; `refuseWithoutHost` says it as everything else is said.
      requireHostHeader: false,
      // Of two hosts or content types the first would win in silence; joined they are neither, and refused.
      joinDuplicateHeaders: true,
      maxHeaderSize: configuration.headerBytesMax,
      connectionsCheckingInterval: TIMEOUTS_EVERY_MS,
      // With a headersTimeout above the requestTimeout Node applies neither (measured on 26.10).
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, configuration.requestTimeoutMs),
      requestTimeout: configuration.requestTimeoutMs,
      // Every other wish to change the protocol is none: the request is answered as if it had not been there.
      shouldUpgradeCallback: isWebSocketRequest,
    },
    forceCloseConnections: 'idle',
    // Our own hook refuses while draining, in the same form as every other error.
    return503OnClosing: false,
    // A topic of 500 characters, of which each may be nine when it is written in an address.
    routerOptions: { maxParamLength: 4_608 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, refusals),
    clientErrorHandler: refuseMalformed,
  });
  refuseUnusual(app.server);
  app.server.maxConnections = configuration.connectionsMax;
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, refusals));
  app.setNotFoundHandler((request, reply) => {
    if (leadsToDocs(request)) return reply.redirect('/docs');
    const fault = new EventManagerError('route_not_found', 'There is nothing at this address.');
    return sendProblem(fault, request, reply, refusals);
  });
  app.addHook('onResponse', (request, reply, done) => {
    // Reading goes on in most states that refuse: only what was written shows that one has ended.
    if (request.method === 'POST' && reply.statusCode < 300) refusals.ended();
    done();
  });
  return app;
}

function isWebSocketRequest({ method, url, headers }: IncomingMessage): boolean {
  const path = url?.split('?', 1)[0];
  return method === 'GET' && path === WS_PATH && headers.upgrade?.toLowerCase() === 'websocket';
}

/** Read anew by each stream that is opened. */
function streamSettings(configuration: Configuration, runtime: Runtime, turns: Turns): StreamSettings {
  return {
    timers: runtime.timers,
    chance: runtime.chance,
    turns,
    get streamsMax() {
      return configuration.streamsMax;
    },
    get heartbeatMs() {
      return configuration.streamHeartbeatMs;
    },
    get stallMs() {
      return configuration.streamStallMs;
    },
  };
}

function declareRoutes(
  app: FastifyInstance,
  { context, configuration, runtime }: HttpServerOptions,
  turns: Turns,
): void {
  const { timers } = runtime;
  const { limits } = configuration;
  const budget = new BodyBudget(limits.bodiesBytesMax);
  acceptJson(app);
  allowOrigins(app, configuration);
  refuseWithoutHost(app);
  if (!configuration.allowUnauthenticated) {
    refuseForeignHosts(app);
    refuseForeignPages(app, configuration);
  }
  app.addHook('onRequest', (request, reply, done) => {
    const path = request.routeOptions.url ?? '';
    if (context.life.phase === 'serving' || HEALTH_PATHS.has(path) || path === METRICS_PATH) {
      done();
      return;
    }
    reply.header('connection', 'close');
    done(new EventManagerError('not_ready', `The service is ${context.life.phase}.`));
  });
  countRefusedBodies(app, context);
  holdAnswers(app, () => configuration.answersBytesMax);
  const methods = refuseMethods(app);
  healthRoutes(app, context);
  metricsRoutes(app, context);
  eventRoutes(app, context, { limits, budget });
  subscriptionRoutes(app, context, { limits, budget });
  pullRoutes(app, context, { limits, budget });
  keyRoutes(app, context, { limits, budget });
  deadLetterRoutes(app, context);
  redriveRoutes(app, context, { limits, budget });
  scheduledRoutes(app, context);
  whyRoutes(app, context, { limits, budget });
  runRoutes(app, context, { limits, budget });
  contextRoutes(app, context, { limits, budget });
  projectionRoutes(app, context);
  topicRoutes(app, context, { limits, budget });
  streamRoutes(app, context, streamSettings(configuration, runtime, turns));
  webSocketRoute(app);
  openApiRoutes(app);
  app.register(async (scope) => {
    batchRoutes(scope, context, { timers, budget });
  });
  app.after(() => methods.declare());
}

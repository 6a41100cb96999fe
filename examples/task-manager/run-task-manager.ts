import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ErrorHandlingMiddleware, EventBus, loggingMiddleware, MetricsMiddleware } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { LevelDBEventStore } from '@event-manager/level';
import { type BrowserOptions, EventIntegratedWebSocketManager } from '@event-manager/realtime';
import { httpServer } from './http/http-server.ts';
import { pageRoutes } from './http/page-routes.ts';
import { taskRoutes } from './http/task-routes.ts';
import { EnhancedTaskService } from './tasks/enhanced-task-service.ts';
import { Permissions } from './tasks/permissions.ts';
import { TaskRepository } from './tasks/task-repository.ts';
import { lineServer } from './tcp/line-server.ts';

export interface TaskManagerOptions {
  /** Holds the journal: all there is. */
  readonly dataDir: string;
  /** Of HTTP, the page and its WebSocket; 0 takes a free one. */
  readonly port: number;
  /** Of the line protocol. */
  readonly tcpPort: number;
  readonly administrators?: readonly string[];
  readonly sockets?: BrowserOptions;
  /** A line on the standard error for each event. */
  readonly logEvents?: boolean;
  /** A folder for a copy of all events in LevelDB, for other tools to read when this is not running. */
  readonly levelDir?: string | undefined;
  /** Told by `/api/status`, so that who asks knows that it is the one it means. */
  readonly instance?: string;
  readonly onFailure?: (error: unknown) => void;
}

export interface TaskManager {
  readonly url: string;
  readonly tcpPort: number;
  readonly tasks: number;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/** Opens everything, in the order in which it is needed; resolves when commands are taken. */
export async function runTaskManager(options: TaskManagerOptions): Promise<TaskManager> {
  const { dataDir, port, tcpPort, administrators, onFailure = () => {} } = options;
  mkdirSync(dataDir, { recursive: true });
  const bus = openBus(options);
  // A folder that cannot be used is heard of now, and not by whoever makes the first task.
  await bus.initialize();
  const repository = await TaskRepository.rebuild(bus.eventManager);
  const taskService = new EnhancedTaskService(repository, { bus, permissions: new Permissions(administrators) });
  await taskService.finishLast();
  const app = httpServer(onFailure);
  app.get('/api/status', async () => ({
    instance: options.instance,
    pid: process.pid,
    tasks: repository.size,
    metrics: bus.getMetrics(),
  }));
  taskRoutes(app, { taskService, repository, bus });
  pageRoutes(app);
  const sockets = new EventIntegratedWebSocketManager({
    ...options.sockets,
    server: app.server,
    topics: ['task.*'],
    onFailure,
  });
  await sockets.subscribeToEventBus(bus);
  const url = await app.listen({ host: HOST, port }).catch(portInUse('port', port));
  const ending = new AbortController();
  const lines = lineServer({ taskService, repository }, { onFailure, signal: ending.signal });
  lines.listen(tcpPort, HOST);
  await once(lines, 'listening').catch(portInUse('tcp-port', tcpPort));
  return {
    url,
    tcpPort: (lines.address() as AddressInfo).port,
    tasks: repository.size,
    async close() {
      const linesClosed = once(lines, 'close');
      lines.close();
      ending.abort();
      // The answer that a connection is still owed needs the bus.
      await linesClosed;
      await sockets.close();
      await app.close();
      await bus.close();
    },
  };
}

/** Says which option takes another one. */
const portInUse = (option: string, port: number) => (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
  throw new TypeError(`Port ${port} is taken, maybe by another task manager: --${option} says another one.`);
};

/** What every event passes on its way to the log. */
function openBus({ dataDir, logEvents = false, levelDir, onFailure = () => {} }: TaskManagerOptions): EventBus {
  const bus = new EventBus({ adapter: journal({ directory: join(dataDir, 'journal') }), name: 'task-manager' });
  if (levelDir !== undefined) bus.setEventStore(new LevelDBEventStore(levelDir));
  const metrics = new MetricsMiddleware();
  const errors = new ErrorHandlingMiddleware({
    onError: ({ code, reason, type }) => onFailure(`${type}: ${code}, ${reason}`),
  });
  if (logEvents) bus.use(loggingMiddleware);
  bus.use(metrics.middleware);
  bus.use(errors.middleware);
  bus.attachMetrics('middleware', () => metrics.getMetrics());
  return bus;
}

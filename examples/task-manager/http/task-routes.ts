import type { EventBus } from '@event-manager/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { EnhancedTaskService } from '../tasks/enhanced-task-service.ts';
import { readTaskId, readUserId } from '../tasks/read-input.ts';
import type { TaskEventPayload } from '../tasks/task-events.ts';
import type { TaskRepository } from '../tasks/task-repository.ts';

export interface TaskRoutesOptions {
  readonly taskService: EnhancedTaskService;
  readonly repository: TaskRepository;
  readonly bus: Pick<EventBus, 'queryEventsByCorrelationId'>;
}

/** Who asks; an application with accounts would read it of a session. */
function userOf(request: FastifyRequest): string {
  const { 'x-user': user } = request.headers;
  const name = Array.isArray(user) ? user[0] : user;
  // A header is Latin-1; pages encode what goes beyond it.
  return readUserId(name === undefined ? undefined : decoded(name));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const idOf = (request: FastifyRequest): string => readTaskId((request.params as { id: string }).id);
const bodyOf = (request: FastifyRequest): Readonly<Record<string, unknown>> =>
  (request.body ?? {}) as Readonly<Record<string, unknown>>;

/** Tasks over HTTP. What a command changes goes out as events by itself. */
export function taskRoutes(app: FastifyInstance, { taskService, repository, bus }: TaskRoutesOptions): void {
  app.get('/api/tasks', async () => repository.snapshot());
  app.get('/api/tasks/:id', async (request) => taskService.getTask(idOf(request)));
  app.get('/api/tasks/:id/history', async (request) => {
    const events = await bus.queryEventsByCorrelationId(idOf(request));
    return events.map(({ id, type, timestamp, payload }) => {
      const { by, changes } = payload as unknown as TaskEventPayload;
      return { id, type, at: timestamp, by, changes };
    });
  });
  app.post('/api/tasks', async (request, reply) => {
    const task = await taskService.createTask(request.body, userOf(request));
    reply.code(201);
    return task;
  });
  app.patch('/api/tasks/:id', async (request) => taskService.updateTask(idOf(request), request.body, userOf(request)));
  app.delete('/api/tasks/:id', async (request) => taskService.deleteTask(idOf(request), userOf(request)));
  app.post('/api/tasks/bulk', async (request) => ({
    results: await taskService.bulkUpdate(request.body, userOf(request)),
  }));
  app.put('/api/tasks/:id/status', async (request) =>
    taskService.changeStatus(idOf(request), bodyOf(request)['status'], userOf(request)),
  );
  app.put('/api/tasks/:id/priority', async (request) =>
    taskService.changePriority(idOf(request), bodyOf(request)['priority'], userOf(request)),
  );
  app.put('/api/tasks/:id/assignee', async (request) =>
    taskService.assignTask(idOf(request), bodyOf(request)['assignee'] ?? null, userOf(request)),
  );
  app.put('/api/tasks/:id/collaborators', async (request) =>
    taskService.updateCollaborators(idOf(request), bodyOf(request)['collaborators'], userOf(request)),
  );
  app.put('/api/tasks/:id/watchers', async (request) =>
    taskService.updateWatchers(idOf(request), bodyOf(request)['watchers'], userOf(request)),
  );
  app.post('/api/tasks/:id/dependencies', async (request) =>
    taskService.addDependency(idOf(request), readTaskId(bodyOf(request)['dependsOn']), userOf(request)),
  );
  app.delete('/api/tasks/:id/dependencies/:dependsOn', async (request) => {
    const { dependsOn } = request.params as { dependsOn: string };
    return taskService.removeDependency(idOf(request), readTaskId(dependsOn), userOf(request));
  });
}

/**
 * What "Event-Driven Architecture Implementation" (the task manager with a live page) shows and promises of realtime, as it stands
 * there, with imports and ports adapted: its code, its flows, the points of its test, and its troubleshooting.
 */
import { EventBus, globalEventBus } from '@event-manager/core';
import { LevelDBEventStore } from '@event-manager/level';
import { EventIntegratedWebSocketManager } from '@event-manager/realtime';
import { type FastifyRequest, fastify } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EnhancedTaskService } from '../../examples/task-manager/tasks/enhanced-task-service.ts';
import { TaskRepository } from '../../examples/task-manager/tasks/task-repository.ts';
import { PageClient } from '../../packages/realtime/test/browser/page-client.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';

async function taskManager(options: object = {}) {
  const eventBus = new EventBus({ enableMetrics: true, maxListeners: 1_000 });
  const webSockets = new EventIntegratedWebSocketManager({ port: 0, drainMs: 100, ...options });
  await webSockets.subscribeToEventBus(eventBus);
  const taskService = new EnhancedTaskService(await TaskRepository.rebuild(eventBus.eventManager), { bus: eventBus });
  onTestFinished(async () => {
    await webSockets.close();
    await eventBus.close();
  });
  return { eventBus, webSockets, taskService, url: `ws://127.0.0.1:${webSockets.port}/ws` };
}

describe('Configuration', () => {
  it('WebSocket Configuration: these are the defaults', async () => {
    const wsConfig = {
      port: 3002, // WebSocket port
      path: '/ws', // WebSocket path
      maxConnections: 1000, // Max concurrent connections
      heartbeatInterval: 30000, // Ping interval in ms
      enableCompression: false, // Enable message compression
      messageQueueSize: 10000, // Max queued messages
    };
    const given = new EventIntegratedWebSocketManager({ ...wsConfig, port: 0 });
    const bus = new EventBus();
    await given.subscribeToEventBus(bus);
    expect(given.getMetrics().connectionsMax).toBe(1000);
    const page = await PageClient.open(`ws://127.0.0.1:${given.port}/ws`);
    expect(page.frames[0].limits.messageQueueSize).toBe(wsConfig.messageQueueSize);
    expect(page.socket.extensions).toBe('');
    await given.close();
    await bus.close();
    const { readBrowserOptions } = await import('../../packages/realtime/src/browser/browser-options.ts');
    expect(readBrowserOptions({})).toMatchObject(wsConfig);
  });
});

describe('Real-Time Features', () => {
  it('WebSocket Events: clients receive real-time updates of every type', async () => {
    const { taskService, url } = await taskManager();
    const page = await PageClient.open(url);
    await taskService.createTask({ id: 'a', title: 'A' }, 'ann');
    await taskService.createTask({ id: 'b', title: 'B' }, 'ann');
    await taskService.updateTask('a', { title: 'A1' }, 'ann');
    await taskService.changeStatus('a', 'review', 'ann');
    await taskService.changePriority('a', 'high', 'ann');
    await taskService.assignTask('a', 'bob', 'ann');
    await taskService.updateCollaborators('a', ['carla'], 'ann');
    await taskService.updateWatchers('a', ['dan'], 'ann');
    await taskService.addDependency('a', 'b', 'ann');
    await taskService.removeDependency('a', 'b', 'ann');
    await taskService.deleteTask('a', 'ann');
    await page.until(() => page.types.length === 11);
    expect(new Set(page.types)).toEqual(
      new Set([
        'task_created',
        'task_updated',
        'task_deleted',
        'task_status_changed',
        'task_priority_changed',
        'task_assigned',
        'task_collaborators_updated',
        'task_watchers_updated',
        'task_dependency_added',
        'task_dependency_removed',
      ]),
    );
  });

  it('Subscription Management: the two frames of the document', async () => {
    const { taskService, url } = await taskManager();
    const page = await PageClient.open(url);
    const ws = page.socket;
    // Subscribe to task creation events
    ws.send(
      JSON.stringify({
        type: 'subscribe',
        eventTypes: ['task_created', 'task_updated'],
      }),
    );
    // Unsubscribe from specific events
    ws.send(
      JSON.stringify({
        type: 'unsubscribe',
        eventTypes: ['task_deleted'],
      }),
    );
    await page.until(() => page.ofType('subscribed').length === 2);
    expect(page.ofType('subscribed').at(-1).eventTypes).toEqual(['task_created', 'task_updated']);
    await taskService.createTask({ id: 'a', title: 'A' }, 'ann');
    await taskService.changeStatus('a', 'review', 'ann');
    await taskService.deleteTask('a', 'ann');
    await taskService.createTask({ id: 'b', title: 'B' }, 'ann');
    await page.until(() => page.types.length === 2);
    expect(page.types).toEqual(['task_created', 'task_created']);
  });
});

describe('Event Flow', () => {
  it('Task Creation Flow: validated, published, through the middleware, in the log, and with the pages', async () => {
    const { eventBus, taskService, url } = await taskManager();
    const steps: string[] = [];
    eventBus.use((event, next) => {
      steps.push(`middleware ${event.type}`);
      return next();
    });
    const page = await PageClient.open(url);
    await expect(taskService.createTask({ title: '' }, 'ann')).rejects.toMatchObject({ code: 'invalid_input' });
    const task = await taskService.createTask({ title: 'A' }, 'ann');
    await page.until(() => page.types.length === 1);
    expect(steps).toEqual(['middleware task_created']);
    expect(page.ofType('event')[0].event.payload.task).toEqual(task);
    const [kept] = await eventBus.eventManager.getEvents({ type: 'task_created' });
    expect(kept?.payload).toMatchObject({ task: { id: task.id }, by: 'ann' });
  });

  it('Task Update Flow: the difference goes out with the event', async () => {
    const { taskService, url } = await taskManager();
    const page = await PageClient.open(url);
    await taskService.createTask({ id: 'a', title: 'A' }, 'ann');
    await expect(taskService.updateTask('a', { title: 'B' }, 'eve')).rejects.toMatchObject({ code: 'not_permitted' });
    await taskService.updateTask('a', { title: 'B' }, 'ann');
    await page.until(() => page.types.length === 2);
    expect(page.ofType('event')[1].event.payload.changes).toEqual({ title: { from: 'A', to: 'B' } });
  });
});

describe('Integration', () => {
  it('Daemon Integration and HTTP API Integration: the two blocks together', async () => {
    // Setup event bus with persistence
    const eventStore = new LevelDBEventStore(`${temporaryDirectory()}/events`);
    globalEventBus.setEventStore(eventStore);

    // Setup WebSocket manager with event bridge
    const webSockets = new EventIntegratedWebSocketManager({ port: 0 });
    const listening = webSockets.subscribeToEventBus(globalEventBus);

    // Enhanced task service with event emission
    const taskRepository = await TaskRepository.rebuild(globalEventBus.eventManager);
    const taskService = new EnhancedTaskService(taskRepository);

    const app = fastify();
    app.decorateRequest('user', { getter: () => ({ id: 'ann' }) });
    // API endpoints trigger events
    app.post('/api/tasks', async (req: FastifyRequest & { user?: { id: string } }, res) => {
      const result = await taskService.createTask(req.body, req.user!.id);
      // Event automatically published by task service
      res.send(result);
    });
    await listening;
    onTestFinished(async () => {
      await app.close();
      await webSockets.close();
      await globalEventBus.close();
    });
    const page = await PageClient.open(`ws://127.0.0.1:${webSockets.port}/ws`);
    const answer = await app.inject({ method: 'POST', url: '/api/tasks', payload: { title: 'A' } });
    expect(answer.json()).toMatchObject({ title: 'A', createdBy: 'ann' });
    await page.until(() => page.types.length === 1);
    expect(page.types).toEqual(['task_created']);
    const { records } = await eventStore.read({ limit: 10 });
    expect(records).toHaveLength(1);
  });
});

describe('Testing: the points of the test suite that are about clients', () => {
  it('Real-time WebSocket updates, event type filtering, metrics collection, error handling', async () => {
    const { eventBus, taskService, webSockets, url } = await taskManager({
      bridge: { transform: { task_deleted: () => JSON.parse('{') } },
    });
    const [all, some] = [await PageClient.open(url), await PageClient.open(url)];
    await some.ask({ type: 'subscribe', eventTypes: ['task_status_changed'] });
    await taskService.createTask({ id: 'a', title: 'A' }, 'ann');
    await taskService.changeStatus('a', 'review', 'ann');
    await taskService.deleteTask('a', 'ann');
    await taskService.createTask({ id: 'b', title: 'B' }, 'ann');
    await all.until(() => all.types.length === 3);
    await some.until(() => some.types.length === 1);
    expect(all.types).toEqual(['task_created', 'task_status_changed', 'task_created']);
    expect(some.types).toEqual(['task_status_changed']);
    expect(webSockets.getMetrics()).toMatchObject({ connections: 2, conversionsFailed: 1 });
    expect(eventBus.getMetrics()).toMatchObject({
      eventsPublished: 4,
      parts: { webSockets: { conversionsFailed: 1 } },
    });
  });
});

describe('Troubleshooting', () => {
  it('Events not received by clients: connection status, subscription, middleware filtering, type mappings', async () => {
    const { eventBus, webSockets, url } = await taskManager({ bridge: { types: { renamed: 'shown', hidden: false } } });
    eventBus.use(function onlyTasks(event, next) {
      return event.type === 'filtered' ? undefined : next();
    });
    const page = await PageClient.open(url);
    // Check WebSocket connection status
    expect(webSockets.getMetrics()).toMatchObject({ connections: 1, refused: 0, stale: 0 });
    // Verify event subscription
    expect((await page.ask({ type: 'unsubscribe', eventTypes: ['unwanted'] })).except).toEqual(['unwanted']);
    // Check middleware filtering
    expect(await eventBus.publish('filtered', 'filtered')).toEqual({ filtered: true, by: 'onlyTasks' });
    expect(eventBus.getMetrics()?.eventsFiltered).toBe(1);
    // Review event type mappings
    for (const type of ['renamed', 'hidden', 'unwanted', 'last']) await eventBus.publish(type, type);
    await page.until(() => page.types.includes('last'));
    expect(page.types).toEqual(['shown', 'last']);
  });

  it('Performance issues: connection pool usage and event queue sizes are numbers', async () => {
    const { eventBus, webSockets, url } = await taskManager({ maxConnections: 2 });
    const page = await PageClient.open(url);
    page.socket.pause();
    const text = 'x'.repeat(100_000);
    while (webSockets.getMetrics().queued === 0) {
      await eventBus.publish('load', 'load', { text });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(webSockets.getMetrics()).toMatchObject({ connections: 1, connectionsMax: 2 });
    expect(eventBus.getMetrics()?.averageProcessingTimeMs).toBeGreaterThanOrEqual(0);
  });

  it('Memory leaks: connections and what waited for them are gone when pages are', async () => {
    const { eventBus, webSockets, url } = await taskManager();
    for (let round = 0; round < 50; round++) {
      const page = await PageClient.open(url);
      await eventBus.publish('a', 'a');
      await page.until(() => page.types.length === 1);
      page.socket.terminate();
    }
    while (webSockets.getMetrics().connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(webSockets.getMetrics()).toMatchObject({ accepted: 50, queued: 0 });
  });
});

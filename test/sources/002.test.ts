/**
 * The blocks, test points and troubleshooting entries of the document of the event-driven task manager, as they stand there:
 * names that it takes from its surroundings are declared before, and imports are adapted. What is realtime, and the task service,
 * have files of their own. The test's name is the block's heading.
 */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BusEvent,
  createEventFactory,
  createLoggingMiddleware,
  ErrorHandlingMiddleware,
  EventBus,
  EventFactory,
  EventReplayService,
  filteringMiddleware,
  globalEventBus,
  InMemoryEventStore,
  type LoggedEvent,
  loggingMiddleware,
  MetricsMiddleware,
  SnapshotService,
  systemRuntime,
  type TaskEvents,
} from '@event-manager/core';
import { LevelDBEventStore } from '@event-manager/level';
import { VirtualTime } from '@event-manager/testing';
import { afterAll, afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';

let logged: unknown[][] = [];
const console = { log: (...given: unknown[]) => logged.push(given) };
let eventBus: EventBus;
let directory: string;

beforeEach(() => {
  logged = [];
  eventBus = new EventBus();
  directory = mkdtempSync(join(tmpdir(), 'event-manager-002-'));
});

afterEach(async () => {
  await eventBus.close();
  rmSync(directory, { recursive: true, force: true });
});

afterAll(() => globalEventBus.close());

const task = { id: 'task-1', title: 'Write it down', status: 'todo', priority: 'high' };

describe('Core Components', () => {
  it('1. Event System: events have the shape of the interfaces', async () => {
    interface EventMetadata {
      readonly [key: string]: unknown;
    }
    interface BaseEvent {
      id: string;
      type: string;
      timestamp: Date;
      data: unknown;
      metadata?: EventMetadata;
    }
    interface TaskEvent extends BaseEvent {
      type:
        | 'task_created'
        | 'task_updated'
        | 'task_deleted'
        | 'task_status_changed'
        | 'task_priority_changed'
        | 'task_assigned'
        | 'task_collaborators_updated'
        | 'task_watchers_updated'
        | 'task_dependency_added'
        | 'task_dependency_removed';
    }
    expectTypeOf<BusEvent>().toExtend<BaseEvent>();
    expectTypeOf<keyof TaskEvents>().toEqualTypeOf<TaskEvent['type']>();
    const made: TaskEvent = EventFactory.createTaskCreated(task, 'ann');
    expect(made.timestamp).toBeInstanceOf(Date);
    let received: BaseEvent | undefined;
    await eventBus.subscribe('task/created', (event) => {
      received = event;
    });
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    expect(received).toMatchObject({ type: 'task_created', data: { task, createdBy: 'ann' } });
    expect(received?.timestamp).toBeInstanceOf(Date);
  });

  it('2. Event Bus', async () => {
    const bus = new EventBus({
      enableMetrics: true,
      enablePersistence: false,
      maxListeners: 1000,
    });
    const types: string[] = [];
    await bus.subscribe('task.*', ({ type }) => void types.push(type));
    await bus.publish(EventFactory.createTaskCreated(task, 'ann'));
    await bus.publish(EventFactory.createTaskUpdated(task, { title: 'Write it all down' }, 'ann'));
    expect(types).toEqual(['task_created', 'task_updated']);
    await bus.close();
  });

  it('3. Event Middleware', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const metricsMiddleware = new MetricsMiddleware();
    eventBus.use(loggingMiddleware);
    eventBus.use(metricsMiddleware.middleware);
    eventBus.use(new ErrorHandlingMiddleware().middleware);

    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    const lines = write.mock.calls.map(([line]) => String(line));
    write.mockRestore();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({ type: 'task_created', outcome: 'stored' });
    expect(metricsMiddleware.getMetrics()).toMatchObject({ events: 1, stored: 1 });
  });

  it('4. Event Store', async () => {
    const eventStore = new InMemoryEventStore(10000);
    eventBus.setEventStore(eventStore);
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));

    const replayService = new EventReplayService(eventStore);
    const report = await replayService.replayEvents();
    expect(report.events.map(({ type, data }) => [type, data.task.id])).toEqual([['task_created', 'task-1']]);
  });
});

describe('Configuration', () => {
  it('Event Bus Configuration', async () => {
    const eventBusConfig = {
      maxListeners: 1000, // Maximum concurrent listeners
      enablePersistence: true, // Enable event storage
      enableMetrics: true, // Collect performance metrics
      middlewareTimeout: 5000, // Middleware timeout in ms
    };
    const first = new EventBus({ ...eventBusConfig, dataDir: directory });
    await first.publish(EventFactory.createTaskCreated(task, 'ann'));
    await first.close();
    const second = new EventBus({ ...eventBusConfig, dataDir: directory });
    expect(await second.eventManager.getEvents({ topic: 'task.*' })).toHaveLength(1);
    await second.close();
  });
});

describe('Integration', () => {
  it('Daemon Integration: what the bus acknowledged is in the store after a restart', async () => {
    const events = join(directory, 'events');
    const eventStore = new LevelDBEventStore(events);
    globalEventBus.setEventStore(eventStore);
    await globalEventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    globalEventBus.setEventStore(undefined);
    await eventStore.close();
    expect(existsSync(events)).toBe(true);

    const again = new LevelDBEventStore(events);
    const seen: string[] = [];
    await new EventReplayService(again).replayEvents({ handler: ({ type }) => void seen.push(type) });
    expect(seen).toEqual(['task_created']);
    await again.close();
  });
});

describe('Debug Tools', () => {
  it('Enable debug logging', async () => {
    globalEventBus.use((event, next) => {
      console.log('DEBUG:', event.type, event.data);
      next();
    });
    await globalEventBus.publish(EventFactory.createTaskDeleted('task-1', 'ann'));
    expect(logged).toEqual([['DEBUG:', 'task_deleted', { taskId: 'task-1', deletedBy: 'ann' }]]);
  });

  it('Monitor metrics', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const timer = setInterval(() => {
      console.log('METRICS:', globalEventBus.getMetrics());
    }, 10000);
    vi.advanceTimersByTime(20_000);
    clearInterval(timer);
    vi.useRealTimers();
    expect(logged).toHaveLength(2);
    expect(logged[0]![1]).toBeTypeOf('object');
  });
});

describe('Test points', () => {
  it('Event publishing and subscription', async () => {
    const received: unknown[] = [];
    const id = await eventBus.subscribe('task.*', ({ data }) => void received.push(data));
    await eventBus.publish(EventFactory.createTaskStatusChanged(task, 'todo', 'done', 'ann'));
    await eventBus.unsubscribe(id);
    await eventBus.publish(EventFactory.createTaskStatusChanged(task, 'done', 'todo', 'ann'));
    expect(received).toEqual([{ task, taskId: 'task-1', oldStatus: 'todo', newStatus: 'done', changedBy: 'ann' }]);
  });

  it('Middleware pipeline processing', async () => {
    const order: string[] = [];
    for (const name of ['first', 'second']) {
      eventBus.use(async (_, next) => {
        order.push(`${name} before`);
        await next();
        order.push(`${name} after`);
      });
    }
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    expect(order).toEqual(['first before', 'second before', 'second after', 'first after']);
  });

  it('Event type filtering', async () => {
    eventBus.use(filteringMiddleware({ types: ['task_created', 'task_deleted'] }));
    const deleted: string[] = [];
    await eventBus.subscribe('task.*', ({ type }) => void deleted.push(type), { filter: { types: ['task_deleted'] } });
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    await eventBus.publish(EventFactory.createTaskDeleted('task-1', 'ann'));
    const kept = await eventBus.publish(EventFactory.createTaskUpdated(task, {}, 'ann'));
    expect(kept).toEqual({ filtered: true, by: 'filtering' });
    expect(deleted).toEqual(['task_deleted']);
  });

  it('Metrics collection', async () => {
    await eventBus.subscribe('task.*', () => {});
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    await eventBus.settled();
    expect(JSON.stringify(eventBus.getMetrics())).toContain('task_created');
    expect(await eventBus.getStats()).toMatchObject({ publishedEvents: 1, activeSubscriptions: 1 });
  });

  it('Error handling', async () => {
    const errors = new ErrorHandlingMiddleware();
    eventBus.use(errors.middleware);
    eventBus.use(function strict({ type }, next) {
      if (type === 'task_deleted') throw new RangeError('nobody deletes');
      next();
    });
    const others: string[] = [];
    await eventBus.subscribe('task.*', () => {
      throw new RangeError('this handler fails');
    });
    await eventBus.subscribe('task.*', ({ type }) => void others.push(type));
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    await expect(eventBus.publish(EventFactory.createTaskDeleted('task-1', 'ann'))).rejects.toMatchObject({
      code: 'middleware_failed',
    });
    expect(others).toEqual(['task_created']);
    expect(errors.counts).toEqual({ middleware_failed: 1 });
  });

  it('Event persistence', async () => {
    const store = new LevelDBEventStore(directory);
    eventBus.setEventStore(store);
    for (const title of ['one', 'two']) {
      await eventBus.publish(EventFactory.createTaskCreated({ id: title, title }, 'ann'));
    }
    const snapshots = new SnapshotService(store, { snapshotEvery: 1 });
    const titles = {
      name: 'titles',
      types: ['task_created'],
      initial: [] as string[],
      apply: (state: string[], { data }: BusEvent) => [...state, data.task.title],
    };
    expect(await snapshots.load(titles)).toMatchObject({ state: ['one', 'two'], folded: 2 });
    expect(await snapshots.load(titles)).toMatchObject({ state: ['one', 'two'], folded: 0 });
  });

  it('Performance monitoring', async () => {
    const metrics = new MetricsMiddleware();
    eventBus.use(metrics.middleware);
    for (let n = 0; n < 100; n++) await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    const { latency } = metrics.getMetrics();
    expect(latency.count).toBe(100);
    expect(latency.p99).toBeGreaterThanOrEqual(latency.p50);
  });
});

describe('Extensibility', () => {
  it('Custom event types easily added', async () => {
    const labels = createEventFactory({
      label_added: (taskId: string, label: string) => ({ topic: 'task/label_added', payload: { taskId, label } }),
    });
    const received: unknown[] = [];
    await eventBus.subscribe('task.*', ({ type, data }) => void received.push([type, data.label]));
    await eventBus.publish(labels.createLabelAdded('task-1', 'urgent'));
    expect(received).toEqual([['label_added', 'urgent']]);
  });

  it('Plugin architecture for middleware, configuration-driven behavior', async () => {
    const configuration = '{"plugins": [{"name": "filtering", "options": {"excludeTypes": ["task_deleted"]}}]}';
    await using bus = new EventBus(JSON.parse(configuration));
    expect(await bus.publish(EventFactory.createTaskDeleted('task-1', 'ann'))).toMatchObject({ filtered: true });
  });

  it('Hot-reloading of event handlers', async () => {
    const path = join(directory, 'handlers.mjs');
    const module = (word: string) =>
      `export default { all: { topic: 'task.*', handler: () => globalThis.wordsOfHandlers.push('${word}') } };`;
    const words: string[] = [];
    Object.assign(globalThis, { wordsOfHandlers: words });
    writeFileSync(path, module('old'));
    const handlers = await eventBus.loadHandlers(path);
    await eventBus.publish(EventFactory.createTaskDeleted('task-1', 'ann'));
    writeFileSync(path, module('new'));
    await handlers.reload();
    await eventBus.publish(EventFactory.createTaskDeleted('task-2', 'ann'));
    expect(words).toEqual(['old', 'new']);
  });
});

describe('Troubleshooting', () => {
  it('Events not received by clients: check middleware filtering', async () => {
    eventBus.use(filteringMiddleware({ excludeTypes: ['task_created'] }));
    const result = await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    expect(result).toEqual({ filtered: true, by: 'filtering' });
    expect(eventBus.getMiddlewareStats()[0]).toMatchObject({ name: 'filtering', seen: 1, filtered: 1 });
  });

  it('Events not received by clients: verify event subscription, review event type mappings', async () => {
    const id = await eventBus.subscribe('task.*', () => {}, { filter: { types: ['task_deleted'] } });
    const created = EventFactory.createTaskCreated(task, 'ann');
    await eventBus.publish(created);
    const { reason, facts } = await eventBus.eventManager.why(id, created.id);
    expect(reason).toBe('filter_not_matched');
    expect(facts).toMatchObject({ wanted: ['task_deleted'], found: 'task_created' });
  });

  it('Performance issues: monitor event processing times, check middleware bottlenecks', async () => {
    const time = new VirtualTime();
    await using bus = new EventBus({ runtime: { ...systemRuntime, clock: time, timers: time } });
    const stop = time.runInBackground();
    bus.use((_, next) => next(), { name: 'fast' });
    bus.use(
      async (_, next) => {
        await time.wait(200);
        await next();
      },
      { name: 'slow' },
    );
    await bus.publish(EventFactory.createTaskCreated(task, 'ann'));
    const slowest = bus.getMiddlewareStats().toSorted((a, b) => b.durationMaxMs - a.durationMaxMs)[0];
    expect(slowest).toMatchObject({ name: 'slow', durationMaxMs: 200 });
    await bus.close();
    stop();
  });

  it('Performance issues: analyze event queue sizes', async () => {
    const id = await eventBus.subscribe('task.*', () => {}, { consumerGroup: 'slow' });
    await eventBus.eventManager.pauseSubscription(id);
    for (let n = 0; n < 3; n++) await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    const { status } = await eventBus.eventManager.getSubscription(id);
    expect(status.lag).toBe(3);
  });

  it('Memory leaks: monitor event store size', async () => {
    const store = new InMemoryEventStore(10);
    eventBus.setEventStore(store);
    for (let n = 0; n < 25; n++) await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    expect(store.size).toBe(10);
  });

  it('Memory leaks: check listener cleanup', async () => {
    await using bus = new EventBus({ maxListeners: 2 });
    const told = once(process, 'warning');
    for (let n = 0; n < 3; n++) await bus.subscribe('task.*', function forgotten() {});
    const [warning] = (await told) as [Error];
    expect([warning.name, warning.message]).toEqual(['EventBusWarning', expect.stringContaining('forgotten')]);
  });

  it('Memory leaks: analyze middleware state', async () => {
    const lines: LoggedEvent[] = [];
    const takeAway = eventBus.use(createLoggingMiddleware({ log: (entry) => void lines.push(entry) }));
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    takeAway();
    await eventBus.publish(EventFactory.createTaskCreated(task, 'ann'));
    expect(lines).toHaveLength(1);
    expect(eventBus.getMiddlewareStats()).toEqual([]);
  });
});

/**
 * Every block of the document of the pluggable event bus, as it stands there: names that it takes from its surroundings are
 * declared before, imports are adapted. The test's name is the block's heading. Those of adapters stand in `004-adapters.test.ts`.
 */
import { randomUUID } from 'node:crypto';
import {
  type BusEvent,
  BusEventEmitter,
  createEventBus,
  EventBus,
  EventTopics,
  InMemoryAdapter,
  isEventManagerError,
} from '@event-manager/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type BaseEvent = BusEvent;

/** What the block logs, by level. */
let logged: { readonly level: string; readonly given: readonly unknown[] }[] = [];
const console = {
  log: (...given: unknown[]) => logged.push({ level: 'log', given }),
  error: (...given: unknown[]) => logged.push({ level: 'error', given }),
};

let eventBus: EventBus;

beforeEach(async () => {
  logged = [];
  // Quickly, so that nobody waits: how long it takes is not what is looked at.
  eventBus = new EventBus({ retryPolicy: { initialDelay: 1, jitter: false } });
});

afterEach(async () => {
  await eventBus.close();
  vi.unstubAllEnvs();
});

describe('Quick Start', () => {
  it('1. Initialize Event Bus', async () => {
    {
      await using eventBus = await createEventBus();
      expect(await eventBus.isHealthy()).toBe(true);
    }
    await using eventBus = await createEventBus('my-service');
    await eventBus.publish('a', 'b', {});
    expect((await eventBus.eventManager.getEvents())[0]?.source).toBe('my-service');
  });

  it('2. Publish Events, 3. Subscribe to Events, 4. Unsubscribe', async () => {
    const updated: unknown[] = [];
    const updateIssueInDatabase = async (payload: unknown) => updated.push(payload);

    const subscriptionId = await eventBus.subscribe(
      EventTopics.ISSUE_EVENTS,
      async (event) => {
        console.log('Received event:', event);

        // Process event
        if (event.type === 'issue.state.changed') {
          await updateIssueInDatabase(event.payload);
        }
      },
      {
        maxRetries: 3,
        useDLQ: true,
      },
    );
    await eventBus.publish(
      EventTopics.ISSUE_EVENTS,
      'issue.state.changed',
      {
        issueId: '123',
        from: 'TODO',
        to: 'IN_PROGRESS',
      },
      {
        metadata: {
          correlationId: 'exec-456',
          userId: 'user-789',
        },
      },
    );
    expect(updated).toEqual([{ issueId: '123', from: 'TODO', to: 'IN_PROGRESS' }]);
    const metadata = { correlationId: 'exec-456', userId: 'user-789' };
    expect(logged).toMatchObject([{ given: ['Received event:', { topic: 'issue.events', metadata }] }]);

    await eventBus.unsubscribe(subscriptionId);
    await eventBus.publish(EventTopics.ISSUE_EVENTS, 'issue.state.changed', {});
    expect(updated).toHaveLength(1);
  });
});

describe('Advanced Usage', () => {
  it('Event Sourcing', async () => {
    const persisted: BaseEvent[] = [];
    const processed: BaseEvent[] = [];
    const persistToDatabase = async (event: BaseEvent) => persisted.push(event);
    const processEvent = async (event: BaseEvent) => processed.push(event);

    // Store all events for audit/replay
    const eventLog: BaseEvent[] = [];

    await eventBus.subscribe('issue.events', async (event) => {
      eventLog.push(event);
      await persistToDatabase(event);
    });
    for (const issueId of ['1', '2']) await eventBus.publish('issue.events', 'issue.created', { issueId });

    // Replay events
    for (const event of eventLog) {
      await processEvent(event);
    }
    expect(processed.map(({ payload }) => payload)).toEqual([{ issueId: '1' }, { issueId: '2' }]);
    expect(persisted).toEqual(processed);
  });

  it('Saga Pattern with Compensation', async () => {
    const compensated: string[] = [];
    const executeCompensation = async (action: string) => compensated.push(action);
    const createPR = async () => {
      throw new TypeError('no branch');
    };

    // Listen for saga failures
    await eventBus.subscribe('saga.failures', async (event) => {
      const { sagaId, failedStep, compensationActions } = event.payload;
      expect([sagaId, failedStep]).toEqual(['saga-123', 'createPR']);

      // Execute compensating transactions
      for (const action of compensationActions) {
        await executeCompensation(action);
      }
    });

    // Trigger compensation on failure
    try {
      await createPR();
    } catch (_error) {
      await eventBus.publish('saga.failures', 'saga.compensation.required', {
        sagaId: 'saga-123',
        failedStep: 'createPR',
        compensationActions: ['deleteWorktree', 'revertIssueState'],
      });
    }
    expect(compensated).toEqual(['deleteWorktree', 'revertIssueState']);
  });

  it('Dead Letter Queue Pattern', async () => {
    const alerts: { message: string; originalEvent: BaseEvent; failureReason: string | undefined }[] = [];
    const sendAlert = async (alert: (typeof alerts)[number]) => alerts.push(alert);
    let attempts = 0;
    const processOrder = async () => {
      attempts++;
      throw new TypeError('no stock');
    };

    // Subscribe to main topic with DLQ
    await eventBus.subscribe('orders.processing', processOrder, {
      maxRetries: 3,
      useDLQ: true,
      dlqTopic: 'orders.failed',
    });

    // Monitor DLQ for failed messages
    await eventBus.subscribe('orders.failed', async (event) => {
      console.error('Failed order:', event);

      // Send alert
      await sendAlert({
        message: 'Order processing failed',
        originalEvent: event,
        failureReason: event.metadata.failureReason,
      });
    });
    await eventBus.publish('orders.processing', 'order.created', { orderId: '1' });
    await eventBus.settled();
    expect(attempts).toBe(4);
    expect(alerts).toMatchObject([
      { failureReason: 'TypeError: no stock', originalEvent: { type: 'order.created', payload: { orderId: '1' } } },
    ]);
    expect(logged).toMatchObject([{ level: 'error', given: ['Failed order:', { topic: 'orders.failed' }] }]);
  });

  it('Consumer Groups (Kafka): those of every adapter', async () => {
    const processed = [0, 0];
    for (const member of [0, 1]) {
      const processOrder = async () => {
        processed[member]!++;
      };
      // Multiple instances share the workload
      await eventBus.subscribe('orders.processing', processOrder, {
        consumerGroup: 'order-processors', // All instances in same group
      });
    }
    for (let order = 0; order < 10; order++) await eventBus.publish('orders.processing', 'order.created', { order });
    await eventBus.settled();
    // Each is delivered to only one instance in the group
    expect(processed[0]! + processed[1]!).toBe(10);
    expect(Math.min(...processed)).toBeGreaterThan(0);
  });

  it('Event Filtering', async () => {
    const handled: unknown[] = [];
    const handleStateChange = async (payload: unknown) => handled.push(['state', payload]);
    const handleHighPriority = async (event: BaseEvent) => handled.push(['high', event.type]);
    const auditAdminAction = async (event: BaseEvent) => handled.push(['audit', event.type]);

    await eventBus.subscribe('all.events', async (event) => {
      // Filter by event type
      if (event.type === 'issue.state.changed') {
        // Only process state change events
        await handleStateChange(event.payload);
      }

      // Filter by payload
      if (event.payload.priority === 'high') {
        await handleHighPriority(event);
      }

      // Filter by metadata
      if (event.metadata.userId === 'admin') {
        await auditAdminAction(event);
      }
    });
    await eventBus.publish('all.events', 'issue.state.changed', { to: 'DONE' });
    await eventBus.publish('all.events', 'issue.created', { priority: 'high' }, { metadata: { userId: 'admin' } });
    await eventBus.publish('issue.events', 'issue.created', { priority: 'high' });
    expect(handled).toEqual([
      ['state', { to: 'DONE' }],
      ['high', 'issue.created'],
      ['audit', 'issue.created'],
    ]);
  });

  it('Correlation IDs for Tracing', async () => {
    const { queryEventsByCorrelationId } = eventBus;
    // Start operation with correlation ID
    const correlationId = randomUUID();

    await eventBus.publish('issue.events', 'issue.created', { issueId: '123' }, { metadata: { correlationId } });

    // All related events share the same correlation ID
    await eventBus.publish(
      'execution.events',
      'execution.started',
      { executionId: '456', issueId: '123' },
      { metadata: { correlationId } },
    );
    await eventBus.publish('issue.events', 'issue.created', { issueId: '124' });

    // Trace entire flow
    const events = await queryEventsByCorrelationId(correlationId);
    expect(events.map(({ type }) => type)).toEqual(['issue.created', 'execution.started']);
  });
});

it('Standard Event Topics', () => {
  expect(EventTopics).toEqual({
    ISSUE_EVENTS: 'issue.events',
    EXECUTION_EVENTS: 'execution.events',
    PROJECT_EVENTS: 'project.events',
    WORKTREE_EVENTS: 'worktree.events',
    AGENT_EVENTS: 'agent.events',
    PR_EVENTS: 'pr.events',
    DEPLOYMENT_EVENTS: 'deployment.events',
    STATE_TRANSITION_EVENTS: 'state.transition.events',
  });
});

describe('Testing', () => {
  it('Unit Tests', async () => {
    const adapter = new InMemoryAdapter();
    const eventBus = new EventBus(adapter);

    // Test event publishing
    await eventBus.publish('test.topic', 'test.event', { data: 'test' });

    // Verify with history
    const history = adapter.getHistory('test.topic');
    expect(history).toHaveLength(1);

    // Clear between tests
    adapter.clearHistory();
    expect(adapter.getHistory('test.topic')).toHaveLength(0);
    await eventBus.close();
  });
});

it('Health Checks', async () => {
  await eventBus.subscribe('a', () => {});
  await eventBus.publish('a', 'b', {});

  // Check event bus health
  const isHealthy = await eventBus.isHealthy();

  if (!isHealthy) {
    console.error('Event bus is unhealthy!');
  }

  // Get statistics
  const stats = await eventBus.getStats();
  console.log('Stats:', {
    adapter: stats.adapter,
    isHealthy: stats.isHealthy,
    publishedEvents: stats.publishedEvents,
    activeSubscriptions: stats.activeSubscriptions,
  });
  const counted = { adapter: 'memory', isHealthy: true, publishedEvents: 1, activeSubscriptions: 1 };
  expect(logged).toEqual([{ level: 'log', given: ['Stats:', counted] }]);
});

it('Monitoring and Observability', async () => {
  const logger = { info: console.log };

  // Subscribe to all events for logging
  await eventBus.subscribe('*', async (event) => {
    logger.info('Event published', {
      type: event.type,
      eventId: event.metadata.eventId,
      correlationId: event.metadata.correlationId,
    });
  });

  // Track metrics
  let publishCount = 0;
  let errorCount = 0;

  type Publish = (...args: readonly unknown[]) => Promise<unknown>;
  const originalPublish = eventBus.publish.bind(eventBus) as Publish;
  eventBus.publish = (async (...args) => {
    publishCount++;
    try {
      return await originalPublish(...args);
    } catch (error) {
      errorCount++;
      throw error;
    }
  }) as Publish as typeof eventBus.publish;
  const { id } = (await eventBus.publish('a', 'b', {}, { metadata: { correlationId: 'c' } })) as { id: string };
  await expect(eventBus.publish('', 'b', {})).rejects.toSatisfy((error) => isEventManagerError(error, 'invalid_topic'));
  expect([publishCount, errorCount]).toEqual([2, 1]);
  expect(logged).toMatchObject([{ given: ['Event published', { type: 'b', eventId: id, correlationId: 'c' }] }]);
});

describe('Migration Guide', () => {
  it('From Old EventBus: Before', async () => {
    const bus = eventBus;
    {
      const eventBus = new BusEventEmitter(bus);

      eventBus.onEvent('project.created', (payload) => {
        console.log(payload);
      });

      eventBus.emitEvent('project.created', { projectId: '123' });
      await eventBus.flush();
    }
    expect(logged).toEqual([{ level: 'log', given: [{ projectId: '123' }] }]);
  });

  it('From Old EventBus: After', async () => {
    await using eventBus = await createEventBus();

    await eventBus.subscribe(EventTopics.PROJECT_EVENTS, async (event) => {
      if (event.type === 'project.created') {
        console.log(event.payload);
      }
    });

    await eventBus.publish(EventTopics.PROJECT_EVENTS, 'project.created', { projectId: '123' });
    expect(logged).toEqual([{ level: 'log', given: [{ projectId: '123' }] }]);
  });
});

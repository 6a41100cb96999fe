/** What the specification of the service and the plan to move to it write about the library, run as they write it. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Event,
  type EventIn,
  EventManager,
  EventPriority,
  type HandlerResult,
  type PublishResult,
} from '@event-manager/core';
import { expect, it, onTestFinished, vi } from 'vitest';
import { call, postJson, runService } from '../../packages/server/test/running-service.ts';

function opened(): EventManager {
  const eventManager = new EventManager();
  onTestFinished(() => eventManager.close());
  return eventManager;
}

/** Both documents show this class; the one with a handler of its own is the specification's. */
class ProjectService {
  readonly seen: string[] = [];
  readonly repository = { create: async ({ name }: { name: string }) => wait(1, { id: 'p1', name }) };
  readonly #eventManager: EventManager;

  constructor(eventManager: EventManager) {
    this.#eventManager = eventManager;
    void this.#eventManager.subscribe({
      topic: 'project.*',
      handler: this.handleProjectEvent.bind(this),
    });
  }

  async createProject(data: { name: string; userId: string }): Promise<{ id: string; name: string }> {
    const project = await this.repository.create(data);
    await this.#eventManager.publish({
      type: 'project.created',
      source: 'project-service',
      topic: 'project/created',
      priority: 'HIGH',
      payload: { project },
      metadata: {
        projectId: project.id,
        userId: data.userId,
        tags: ['project', 'user-action'],
      },
    });
    return project;
  }

  async handleProjectEvent(event: Event): Promise<HandlerResult> {
    this.seen.push(event.type);
    return { success: true };
  }
}

it('a service publishes what it did', async () => {
  const eventManager = opened();
  const service = new ProjectService(eventManager);
  await service.createProject({ name: 'bridge', userId: 'u1' });
  expect(service.seen).toEqual(['project.created']);
  const [event] = await eventManager.getEvents({ topic: 'project.*' });
  expect(event).toMatchObject({
    ...{ source: 'project-service', topic: 'project/created', priority: EventPriority.HIGH },
    metadata: { projectId: 'p1', userId: 'u1', tags: ['project', 'user-action'], retryCount: 0, maxRetries: 3 },
    payload: { project: { id: 'p1', name: 'bridge' } },
  });
});

it('replay with the words of the plan', async () => {
  const eventManager = opened();
  const seen: string[] = [];
  const handler = ({ type }: Event) => void seen.push(type);
  await eventManager.subscribe({ subscriberId: 'aas-service', topic: '#', handler });
  for (const type of ['process.started', 'project.created']) await eventManager.publish({ type, source: 'test' });
  seen.length = 0;
  const run = await eventManager.replay({
    from_timestamp: '2024-01-15T10:00:00Z',
    to_timestamp: '2124-01-15T11:00:00Z',
    topic_pattern: 'process.*',
    subscriber_ids: ['aas-service'],
  });
  await vi.waitFor(async () => expect((await eventManager.getRun(run.id)).state).toBe('done'));
  expect(seen).toEqual(['process.started']);
});

const CREATED = { type: 'project.created', source: 'test' };

it('should deliver all events to AAS universal subscription', async () => {
  const eventManager = opened();
  const mockAASHandler = vi.fn();
  await eventManager.subscribe({ topic: '#', handler: mockAASHandler });
  await eventManager.publish(CREATED);
  await eventManager.publish({ type: 'process.started', source: 'test' });
  expect(mockAASHandler).toHaveBeenCalledTimes(2);
});

it('should filter events based on AAS criteria', async () => {
  const eventManager = opened();
  const mockAASHandler = vi.fn();
  await eventManager.subscribe({
    topic: '#',
    handler: mockAASHandler,
    filter: { excludeTypes: ['system.heartbeat'] },
  });
  await eventManager.publish({ type: 'system.heartbeat', source: 'test' });
  await eventManager.publish({ type: 'user.action', source: 'test' });
  expect(mockAASHandler).toHaveBeenCalledTimes(1);
});

it('should handle 1000 events/minute to AAS', async () => {
  const eventManager = opened();
  const mockAASHandler = vi.fn();
  const aasSubscription = await eventManager.subscribe({
    topic: '#',
    handler: mockAASHandler,
    options: { rateLimitPerMinute: 1000 },
  });
  const events = Array(1000)
    .fill(0)
    .map(() => ({ type: 'test.event', source: 'test-service', topic: 'test', payload: {} }));
  await Promise.all(events.map((event) => eventManager.publish(event)));
  expect(mockAASHandler.mock.calls.length).toBe(1000);
  // The minute is full: one more waits, and is not lost.
  const oneMore = eventManager.publish(events[0]!);
  await vi.waitFor(async () => expect(await eventManager.getMetrics()).toMatchObject({ eventsPublished: 1001 }));
  expect(mockAASHandler.mock.calls.length).toBe(1000);
  expect((await eventManager.getSubscription(aasSubscription.id)).status).toMatchObject({ lag: 1 });
  await eventManager.unsubscribe(aasSubscription.id);
  await oneMore;
});

/** The tree of the specification, by its leaves. */
const TREE: Readonly<Record<string, readonly string[]>> = {
  project: ['created', 'updated', 'deleted', 'member/added', 'member/removed'],
  knowledge: ['document/uploaded', 'document/processed', 'document/indexed', 'search/executed', 'search/completed'],
  llm: ['request/started', 'request/completed', 'tool/called', 'tool/result'],
  process: ['started', 'task/executed', 'task/completed', 'finished'],
  aas: ['suggestion/generated', 'suggestion/accepted', 'alert/risk', 'alert/recommendation'],
};
const LEAVES = Object.entries(TREE).flatMap(([root, leaves]) => leaves.map((leaf) => `${root}/${leaf}`));

it('the topic hierarchy can be published to and subscribed to by its branches', async () => {
  const eventManager = opened();
  const seen = new Map<string, number>();
  for (const root of Object.keys(TREE)) {
    const handler = () => void seen.set(root, (seen.get(root) ?? 0) + 1);
    await eventManager.subscribe({ topic: `${root}/#`, handler });
  }
  for (const topic of LEAVES) await eventManager.publish({ type: topic, source: 'test', topic });
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(Object.entries(TREE).map(([root, leaves]) => [root, leaves.length])),
  );
});

it.each([
  ['project.*', (topic: string) => topic.startsWith('project/')],
  ['knowledge.document.*', (topic: string) => topic.startsWith('knowledge/document/')],
  ['process.task.executed', (topic: string) => topic === 'process/task/executed'],
  ['*.created', (topic: string) => topic.endsWith('/created')],
  ['#', () => true],
] as const)('the patterns mean what their comments say: %s', async (pattern, isMeant) => {
  const eventManager = opened();
  const seen: string[] = [];
  await eventManager.subscribe({ topic: pattern, handler: ({ topic }) => void seen.push(topic) });
  for (const topic of LEAVES) await eventManager.publish({ type: 'any', source: 'test', topic });
  expect(seen).toEqual(LEAVES.filter(isMeant));
});

it('has every operation of the interface', async () => {
  const eventManager = opened();
  const event: EventIn = { type: 'project.created', source: 'project-service', topic: 'project/created', payload: {} };
  const published: PublishResult = await eventManager.publish(event);
  expect(await eventManager.publishBatch([event, event])).toMatchObject({ stored: 2 });
  const { id } = await eventManager.subscribe({
    topic: 'project.*',
    handler: async () => ({ success: true, metadata: {} }),
    filter: { types: ['project.*'], sources: ['project-service'], priority: EventPriority.LOW, tags: [] },
    options: { priority: EventPriority.LOW, batchSize: 1, maxConcurrency: 2, deadLetterTopic: 'project.failed' },
  });
  await eventManager.replayEvents({ topicPattern: 'project.*', from: published.cursor });
  await eventManager.unsubscribe(id);
  await eventManager.createTopic('project/created');
  expect(await eventManager.listTopics()).toMatchObject([{ topic: 'project/created' }]);
  expect(await eventManager.getEvents({ topic: 'project.*' })).toHaveLength(3);
  expect(await eventManager.getHealth()).toMatchObject({ status: 'ok' });
  expect(await eventManager.getMetrics()).toMatchObject({ eventsPublished: 3, activeSubscriptions: 0 });
});

it('has every address of the specification', async () => {
  const { url } = await runService();
  const event = { type: 'project.created', source: 'project-service' };
  const subscription = { topic: 'project.*', endpoint: 'https://aas-service:3005/events/webhook' };
  const answers = [
    await postJson(`${url}/events`, event),
    await postJson(`${url}/events/batch`, [event]),
    await postJson(`${url}/subscriptions`, subscription),
    await call(`${url}/subscriptions`),
    await postJson(`${url}/topics`, { topic: 'project/created' }),
    await call(`${url}/topics`),
    await call(`${url}/topics/project%2Fcreated/events`),
    await call(`${url}/health`),
    await call(`${url}/metrics`),
    await postJson(`${url}/replay`, { topic_pattern: 'process.*', dryRun: false }),
  ];
  const { id } = answers[2]!.body as { id: string };
  answers.push(await call(`${url}/subscriptions/${id}`, { method: 'DELETE' }));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 200, 201, 200, 200, 200, 200, 202, 204]);
});

import { EventBus, memory } from '@event-manager/core';
import { afterEach, expect, it } from 'vitest';

const open: EventBus[] = [];

function kept(made: EventBus): EventBus {
  open.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((made) => made.close()));
});

it('delivers an event said by topic, type and payload, under all names that a handler may look for', async () => {
  const events = kept(new EventBus(memory(), 'tracker'));
  const received: unknown[] = [];
  const id = await events.subscribe('issue.events', (event) => {
    received.push([event.type, event.source, event.payload, event.data, event.metadata.correlationId]);
    expect(event.metadata.eventId).toBe(event.id);
  });
  const payload = { issueId: '123', from: 'TODO', to: 'IN_PROGRESS' };
  const options = { metadata: { correlationId: 'exec-456', userId: 'user-789' } };
  await events.publish('issue.events', 'issue.state.changed', payload, options);
  expect(received).toEqual([['issue.state.changed', 'tracker', payload, payload, 'exec-456']]);
  expect(await events.queryEventsByCorrelationId('exec-456')).toHaveLength(1);
  await events.unsubscribe(id);
  await events.publish('issue.events', 'issue.state.changed', payload);
  expect(received).toHaveLength(1);
});

it('delivers an event said as an object with data', async () => {
  const events = kept(new EventBus({ name: 'tasks' }));
  const received: unknown[] = [];
  await events.subscribe('*', (event) => void received.push([event.topic, event.data]));
  await events.publish({ type: 'task_created', topic: 'task/created', data: { id: '1' } });
  expect(received).toEqual([['task/created', { id: '1' }]]);
});

it('says which middleware kept an event back, and stores nothing of it', async () => {
  const events = kept(new EventBus());
  events.use(async (event, next) => {
    await next({ ...event, metadata: { ...event.metadata, tags: ['seen'] } });
  });
  events.use(function onlyTasks(event, next) {
    return event.type.startsWith('task_') ? next() : undefined;
  });
  const received: unknown[] = [];
  await events.subscribe('*', (event) => void received.push(event.metadata.tags));
  expect(await events.publish({ type: 'noise', data: {} })).toEqual({ filtered: true, by: 'onlyTasks' });
  await events.publish({ type: 'task_created', data: {} });
  expect(received).toEqual([['seen']]);
  expect((await events.getStats()).publishedEvents).toBe(1);
});

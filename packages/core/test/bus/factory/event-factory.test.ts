import { createEventFactory, EventBus, EventFactory, parseEventId, type TaskEvents } from '@event-manager/core';
import { expect, expectTypeOf, it } from 'vitest';
import { keptBus } from '../kept-bus.ts';
import { virtualSurroundings } from '../virtual-surroundings.ts';

const task = { id: 'task-1', title: 'Write it down' };

it('makes all ten events of tasks, each with its topic, its author and the order of its task', async () => {
  const made = [
    EventFactory.createTaskCreated(task, 'ann'),
    EventFactory.createTaskUpdated(task, { title: { from: 'a', to: 'b' } }, 'ann'),
    EventFactory.createTaskDeleted('task-1', 'ann'),
    EventFactory.createTaskStatusChanged(task, 'todo', 'done', 'ann'),
    EventFactory.createTaskPriorityChanged(task, 'low', 'high', 'ann'),
    EventFactory.createTaskAssigned(task, 'bob', 'ann'),
    EventFactory.createTaskCollaboratorsUpdated('task-1', { added: ['bob'], removed: [], changedBy: 'ann' }),
    EventFactory.createTaskWatchersUpdated('task-1', { added: [], removed: ['bob'], changedBy: 'ann' }),
    EventFactory.createTaskDependencyAdded('task-1', 'task-2', 'ann'),
    EventFactory.createTaskDependencyRemoved('task-1', 'task-2', 'ann'),
  ];
  expect(made.map(({ type }) => type)).toEqual([
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
  ]);
  const bus = keptBus();
  const received: unknown[] = [];
  await bus.subscribe('task.*', ({ id, topic, metadata }) => {
    received.push([id, topic, metadata.userId, metadata.orderingKey]);
  });
  for (const event of made) await bus.publish(event);
  expect(received).toEqual(made.map(({ id, type }) => [id, type.replace('_', '/'), 'ann', 'task-1']));
});

it('makes an id with the event, so that publishing it again is recognised', async () => {
  const bus = keptBus();
  const event = EventFactory.createTaskCreated(task, 'ann');
  expect(parseEventId(event.id)).toBe(event.id);
  expect(event.data).toBe(event.payload);
  expect(await bus.publish(event)).toMatchObject({ id: event.id, duplicate: false });
  expect(await bus.publish(event)).toMatchObject({ id: event.id, duplicate: true });
});

it('makes factories for any types, with the names and the arguments of their definitions', () => {
  const { time, runtime } = virtualSurroundings();
  const factory = createEventFactory(
    {
      'order.placed': (id: string, total: number) => ({ topic: `orders/${id}`, payload: { id, total }, version: '2' }),
      parcel_sent: (id: string) => ({ payload: { id } }),
    },
    { runtime },
  );
  const placed = factory.createOrderPlaced('7', 12.5);
  expect(placed).toMatchObject({
    type: 'order.placed',
    topic: 'orders/7',
    version: '2',
    data: { id: '7', total: 12.5 },
    timestamp: new Date(time.wallMs()),
  });
  expectTypeOf(placed.type).toEqualTypeOf<'order.placed'>();
  expectTypeOf(placed.data.total).toEqualTypeOf<number>();
  expectTypeOf(factory.createParcelSent).parameters.toEqualTypeOf<[id: string]>();
  // @ts-expect-error: the total is a number.
  factory.createOrderPlaced('7', 'a lot');
});

it('fits a bus that is typed by what the factory makes', async () => {
  await using bus = new EventBus<TaskEvents>();
  const assignees: (string | null)[] = [];
  await bus.subscribe('task.*', (event) => {
    if (event.type === 'task_assigned') assignees.push(event.payload.assignee);
  });
  await bus.publish(EventFactory.createTaskAssigned(task, 'bob', 'ann'));
  await bus.publish(EventFactory.createTaskAssigned(task, null, 'ann'));
  expect(assignees).toEqual(['bob', null]);
  // @ts-expect-error: not one of the ten.
  await bus.publish({ type: 'task_lost', payload: {} });
});

it('refuses two types whose functions would have one name', () => {
  const payload = () => ({ payload: {} });
  expect(() => createEventFactory({ 'a.b': payload, a_b: payload })).toThrow('createAB');
});

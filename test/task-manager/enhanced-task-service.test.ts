import { EventBus } from '@event-manager/core';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { EnhancedTaskService } from '../../examples/task-manager/tasks/enhanced-task-service.ts';
import { Permissions } from '../../examples/task-manager/tasks/permissions.ts';
import { REFUSALS } from '../../examples/task-manager/tasks/task-refused.ts';
import { TaskRepository } from '../../examples/task-manager/tasks/task-repository.ts';

async function service() {
  const bus = new EventBus();
  onTestFinished(() => bus.close());
  const repository = await TaskRepository.rebuild(bus.eventManager);
  const tasks = new EnhancedTaskService(repository, { bus, permissions: new Permissions(['root']) });
  const events = async () => [...(await bus.eventManager.getEvents({ topic: 'task.*' }, { limit: 1_000 }))];
  return { bus, repository, tasks, events };
}

it('says all ten things that can happen to a task, each with who did it and what changed', async () => {
  const { tasks, events, bus } = await service();
  await tasks.createTask({ id: 'wood', title: 'Buy wood' }, 'ann');
  await tasks.createTask({ id: 'fence', title: 'Fence' }, 'ann');
  await tasks.updateTask('fence', { title: 'Build the fence', description: 'Of wood.' }, 'ann');
  await tasks.changePriority('fence', 'high', 'ann');
  await tasks.assignTask('fence', 'bob', 'ann');
  await tasks.updateCollaborators('fence', ['carla'], 'ann');
  await tasks.updateWatchers('fence', ['dan'], 'dan');
  await tasks.addDependency('fence', 'wood', 'carla');
  await tasks.removeDependency('fence', 'wood', 'bob');
  await tasks.changeStatus('fence', 'done', 'bob');
  await tasks.deleteTask('fence', 'ann');
  const said = (await events()).slice(1);
  expect(said.map(({ type, topic }) => [type, topic])).toEqual([
    ['task_created', 'task/created'],
    ['task_updated', 'task/updated'],
    ['task_priority_changed', 'task/priority'],
    ['task_assigned', 'task/assigned'],
    ['task_collaborators_updated', 'task/collaborators'],
    ['task_watchers_updated', 'task/watchers'],
    ['task_dependency_added', 'task/dependency/added'],
    ['task_dependency_removed', 'task/dependency/removed'],
    ['task_status_changed', 'task/status'],
    ['task_deleted', 'task/deleted'],
  ]);
  expect(said[1]!.payload).toMatchObject({
    by: 'ann',
    task: { id: 'fence', title: 'Build the fence', version: 2 },
    changes: { title: { from: 'Fence', to: 'Build the fence' }, description: { from: '', to: 'Of wood.' } },
  });
  expect(said.map(({ payload }) => payload['by'])).toEqual([
    'ann',
    'ann',
    'ann',
    'ann',
    'ann',
    'dan',
    'carla',
    'bob',
    'bob',
    'ann',
  ]);
  expect(await bus.queryEventsByCorrelationId('fence')).toHaveLength(10);
});

it('makes an event of each kind of change, and none of what is so already', async () => {
  const { tasks, events } = await service();
  await tasks.createTask({ id: 'a', title: 'A' }, 'ann');
  await tasks.updateTask('a', { title: 'A', status: 'review', priority: 'high', assignee: null }, 'ann');
  await tasks.updateTask('a', { status: 'review' }, 'ann');
  expect((await events()).map(({ type }) => type)).toEqual([
    'task_created',
    'task_status_changed',
    'task_priority_changed',
  ]);
});

it('lets each do what they may, and nothing else; what is refused leaves no event', async () => {
  const { tasks, events } = await service();
  await tasks.createTask({ id: 'a', title: 'A', assignee: 'bob', collaborators: ['carla'] }, 'ann');
  const all = {
    edit: (user: string) => tasks.updateTask('a', { title: `by ${user}` }, user),
    assign: (user: string) => tasks.assignTask('a', `of-${user}`, user),
    share: (user: string) => tasks.updateCollaborators('a', ['carla', user], user),
    watch: (user: string) => tasks.updateWatchers('a', [user], user),
  };
  const may = async (user: string) => {
    const done: string[] = [];
    for (const [name, act] of Object.entries(all)) {
      await act(user).then(
        () => done.push(name),
        (error) => expect(error).toMatchObject({ code: 'not_permitted' }),
      );
    }
    return done;
  };
  expect(await may('eve')).toEqual(['watch']);
  expect(await may('carla')).toEqual(['edit', 'watch']);
  expect(await may('ann')).toEqual(['edit', 'assign', 'share', 'watch']);
  expect(await may('root')).toEqual(['edit', 'assign', 'share', 'watch']);
  await expect(tasks.deleteTask('a', 'bob')).rejects.toMatchObject({ code: 'not_permitted' });
  const before = (await events()).length;
  // Two changes of which one is not permitted are none.
  await expect(tasks.updateTask('a', { title: 'x', collaborators: [] }, 'carla')).rejects.toMatchObject({
    status: 403,
  });
  expect(await events()).toHaveLength(before);
  await tasks.deleteTask('a', 'root');
});

it('refuses a circle of dependencies with the way back, and an end before what it waits for', async () => {
  const { tasks } = await service();
  for (const id of ['a', 'b', 'c']) await tasks.createTask({ id, title: id }, 'ann');
  await tasks.addDependency('a', 'b', 'ann');
  await tasks.addDependency('b', 'c', 'ann');
  await expect(tasks.addDependency('c', 'a', 'ann')).rejects.toMatchObject({
    code: 'dependency_cycle',
    details: { cycle: ['c', 'a', 'b', 'c'] },
  });
  await expect(tasks.addDependency('a', 'a', 'ann')).rejects.toMatchObject({ code: 'dependency_cycle' });
  await expect(tasks.addDependency('a', 'nothing', 'ann')).rejects.toMatchObject({ code: 'task_not_found' });
  await expect(tasks.changeStatus('a', 'done', 'ann')).rejects.toMatchObject({ code: 'dependency_open' });
  await tasks.deleteTask('b', 'ann');
  expect(tasks.getTask('a').dependencies).toEqual([]);
  await tasks.changeStatus('a', 'done', 'ann');
});

/** Whatever is asked for in whatever order, tasks never wait for each other in a circle. */
it('never holds a circle of dependencies', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const id = fc.constantFrom(...ids);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(id, id, fc.boolean()), { maxLength: 40 }), async (steps) => {
      const { tasks, bus } = await service();
      for (const each of ids) await tasks.createTask({ id: each, title: each }, 'ann');
      for (const [from, to, isAdded] of steps) {
        await tasks[isAdded ? 'addDependency' : 'removeDependency'](from, to, 'ann').catch(() => {});
      }
      const left = new Map(ids.map((each) => [each, new Set(tasks.getTask(each).dependencies)]));
      for (let free = true; free; ) {
        const next = [...left].find(([, waits]) => waits.size === 0)?.[0];
        free = next !== undefined;
        if (next === undefined) break;
        left.delete(next);
        for (const waits of left.values()) waits.delete(next);
      }
      expect([...left.keys()]).toEqual([]);
      await bus.close();
    }),
    { numRuns: 30 },
  );
});

it('changes many tasks at once, each by itself', async () => {
  const { tasks } = await service();
  await tasks.createTask({ id: 'mine', title: 'A' }, 'ann');
  await tasks.createTask({ id: 'his', title: 'B' }, 'bob');
  const results = await tasks.bulkUpdate({ ids: ['mine', 'his', 'gone'], changes: { status: 'review' } }, 'ann');
  expect(results).toMatchObject([
    { id: 'mine', task: { status: 'review' } },
    { id: 'his', error: { code: 'not_permitted' } },
    { id: 'gone', error: { code: 'task_not_found' } },
  ]);
});

it('rebuilds the same tasks from the events alone', async () => {
  const { tasks, repository, bus } = await service();
  for (let index = 0; index < 300; index++) await tasks.createTask({ id: `t-${index}`, title: `${index}` }, 'ann');
  for (let index = 0; index < 300; index += 3) await tasks.deleteTask(`t-${index}`, 'ann');
  await tasks.bulkUpdate({ ids: ['t-1', 't-2'], changes: { priority: 'high' } }, 'ann');
  const again = await TaskRepository.rebuild(bus.eventManager);
  expect(again.snapshot()).toEqual(repository.snapshot());
});

it('carries commands out one after the other, each checked against what came before', async () => {
  const { tasks } = await service();
  const asked = Array.from({ length: 20 }, () => tasks.createTask({ id: 'one', title: 'A' }, 'ann'));
  const ended = await Promise.allSettled(asked);
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('changes nothing when the event is kept back or refused', async () => {
  const { tasks, bus, repository } = await service();
  bus.use(function quiet(event, next) {
    return event.type === 'task_created' ? undefined : next();
  });
  await expect(tasks.createTask({ title: 'A' }, 'ann')).rejects.toMatchObject({ code: 'not_stored', status: 503 });
  expect(repository.size).toBe(0);
});

it.each([
  [{}, '/title'],
  [{ title: ' ' }, '/title'],
  [{ title: 'A', status: 'gone' }, '/status'],
  [{ title: 'A', more: 1 }, ''],
  [{ title: 'A', collaborators: ['no spaces please'] }, '/collaborators/0'],
  [null, ''],
])('refuses %j and says where', async (input, pointer) => {
  const { tasks } = await service();
  await expect(tasks.createTask(input, 'ann')).rejects.toMatchObject({ code: 'invalid_input', details: { pointer } });
  expect(Object.keys(REFUSALS)).toContain('invalid_input');
  await expect(tasks.createTask({ title: 'A' }, '')).rejects.toMatchObject({ code: 'unknown_user' });
});

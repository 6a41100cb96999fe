import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Event, EventBus } from '@event-manager/core';
import { journal } from '@event-manager/journal';
import { expect, it, onTestFinished } from 'vitest';
import { EnhancedTaskService } from '../../examples/task-manager/tasks/enhanced-task-service.ts';
import type { Task } from '../../examples/task-manager/tasks/task.ts';
import { TaskRepository } from '../../examples/task-manager/tasks/task-repository.ts';
import { temporaryDirectory } from '../e2e/support/temporary-directory.ts';
import { COMMANDS, makeTasks } from './several-events.ts';

const NAMES = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];

async function open(bus: EventBus) {
  const repository = await TaskRepository.rebuild(bus.eventManager);
  const tasks = new EnhancedTaskService(repository, { bus });
  return { repository, tasks };
}

const eventsOf = async (bus: EventBus) => [...(await bus.eventManager.getEvents({ topic: 'task.*' }, { limit: 100 }))];

/** Without what differs from one run to the other. */
const said = (events: readonly Event[]) =>
  events.map(({ type, payload }) => {
    const { task, changes, by } = payload as unknown as { task: Task; changes: object; by: string };
    return { type, by, changes, id: task.id, version: task.version };
  });

const stateOf = (tasks: readonly Task[]) => tasks.map(({ createdAt: _created, updatedAt: _updated, ...task }) => task);

/** What the command makes of the tasks when nothing happens to it. */
async function undisturbed(name: keyof typeof COMMANDS) {
  await using bus = new EventBus();
  const { tasks, repository } = await open(bus);
  await makeTasks(tasks);
  const before = stateOf(repository.snapshot().tasks);
  await COMMANDS[name](tasks);
  return { before, after: stateOf(repository.snapshot().tasks), events: said(await eventsOf(bus)) };
}

/** A bus whose process is gone when so many events are in its log: nothing is answered any more. */
function dyingAfter(bus: EventBus, count: number): Pick<EventBus, 'publish'> {
  let left = count;
  const publish = async (event: never) => {
    if (left-- <= 0) throw new TypeError('the process is gone');
    return bus.publish(event);
  };
  return { publish };
}

it.each(NAMES)('%s is there as a whole or not at all, wherever it was interrupted', async (name) => {
  const whole = await undisturbed(name);
  const events = whole.events.length - 3;
  expect(events).toBeGreaterThan(2);
  for (let count = 0; count <= events; count++) {
    await using bus = new EventBus();
    const first = await open(bus);
    await makeTasks(first.tasks);
    const dying = new EnhancedTaskService(first.repository, { bus: dyingAfter(bus, count) });
    await COMMANDS[name](dying).catch(() => {});
    const { tasks, repository } = await open(bus);
    await tasks.finishLast();
    expect([count, stateOf(repository.snapshot().tasks)]).toEqual([count, count === 0 ? whole.before : whole.after]);
    expect(said(await eventsOf(bus))).toEqual(count === 0 ? whole.events.slice(0, 3) : whole.events);
    // Again, and with commands behind it: it is over.
    await tasks.createTask({ id: 'z', title: 'Z' }, 'ann');
    await tasks.changeStatus('c', 'review', 'ann');
    const again = await open(bus);
    await again.tasks.finishLast();
    expect(again.repository.snapshot()).toEqual(repository.snapshot());
  }
});

it('finishes a command that the log refused in between before the next one', async () => {
  await using bus = new EventBus();
  const { tasks, repository } = await open(bus);
  await makeTasks(tasks);
  let isRefusing = true;
  let left = 2;
  const publish = async (event: never) => {
    if (isRefusing && left-- <= 0) throw new TypeError('no room');
    return bus.publish(event);
  };
  const flaky = new EnhancedTaskService(repository, { bus: { publish } });
  await expect(COMMANDS.update(flaky)).rejects.toThrow('no room');
  await expect(flaky.changeStatus('b', 'review', 'ann')).rejects.toThrow('no room');
  isRefusing = false;
  await flaky.changeStatus('b', 'review', 'ann');
  expect(said(await eventsOf(bus)).map(({ id, type }) => [id, type])).toEqual([
    ['a', 'task_created'],
    ['b', 'task_created'],
    ['c', 'task_created'],
    ['a', 'task_status_changed'],
    ['a', 'task_priority_changed'],
    ['a', 'task_assigned'],
    ['a', 'task_watchers_updated'],
    ['b', 'task_status_changed'],
  ]);
});

it('names the first event of a command as the cause of the others, and nothing in commands of one event', async () => {
  await using bus = new EventBus();
  const { tasks } = await open(bus);
  await makeTasks(tasks);
  await COMMANDS.update(tasks);
  await tasks.changeStatus('a', 'done', 'ann');
  const [first, ...more] = (await eventsOf(bus)).slice(3);
  expect(first!.payload['command']).toEqual({
    ids: ['a'],
    changes: { status: 'review', priority: 'high', assignee: 'bob', watchers: ['dan'] },
  });
  expect(more.map(({ causationId }) => causationId)).toEqual([first!.id, first!.id, first!.id, undefined]);
  expect(more.some(({ payload }) => 'command' in payload)).toBe(false);
});

it('ends a command whose later events a middleware keeps back, and goes on with others', async () => {
  await using bus = new EventBus();
  const { tasks } = await open(bus);
  await makeTasks(tasks);
  bus.use(function quiet(event, next) {
    return event.type === 'task_priority_changed' ? undefined : next();
  });
  await expect(COMMANDS.update(tasks)).rejects.toMatchObject({ code: 'not_stored' });
  await tasks.changeStatus('b', 'review', 'ann');
  await expect(COMMANDS.update(tasks)).rejects.toMatchObject({ code: 'not_stored' });
  const again = await open(bus);
  await again.tasks.finishLast();
  expect(again.tasks.getTask('a')).toMatchObject({ status: 'review', priority: 'medium' });
});

/** A process of its own with a journal: what it acknowledged to itself before `kill -9` is all that is left of it. */
it.each([
  ['update', 1],
  ['bulk', 3],
  ['delete', 1],
] as const)('%s is finished by the next start when the process was killed after event %i', async (name, count) => {
  const whole = await undisturbed(name);
  const directory = join(temporaryDirectory(), 'journal');
  const openBus = () => new EventBus({ adapter: journal({ directory }) });
  {
    await using bus = openBus();
    await makeTasks((await open(bus)).tasks);
  }
  const program = join(import.meta.dirname, 'killed-program.ts');
  const child = spawn(process.execPath, ['--conditions=source', program, directory, name, String(count)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  await using bus = openBus();
  expect(await eventsOf(bus)).toHaveLength(3 + count);
  const { tasks, repository } = await open(bus);
  await tasks.finishLast();
  expect(stateOf(repository.snapshot().tasks)).toEqual(whole.after);
  expect(said(await eventsOf(bus))).toEqual(whole.events);
});

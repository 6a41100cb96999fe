/**
 * What can be done to tasks. A command is checked against the tasks as they are, becomes events, and is done when the log has
 * them: an answer means that it is durable. Commands are carried out one after the other, because each is checked against what
 * the ones before it did; the log is open in this process alone, so nobody else changes tasks meanwhile.
 *
 * A command of several events (an update of several fields) may be cut short by a crash: each event is whole by itself, the
 * command had no answer, and asking for it again does the rest.
 */
import { randomUUID } from 'node:crypto';
import { type EventBus, globalEventBus } from '@event-manager/core';
import { changeDiff } from './change-diff.ts';
import { dependencyCycle } from './dependency-cycle.ts';
import { EventFactory, type TaskEvent } from './event-factory.ts';
import { type Action, Permissions } from './permissions.ts';
import { readBulk, readChanges, readNewTask, readUserId, type WantedChanges } from './read-input.ts';
import type { Task, TaskChanges } from './task.ts';
import { TaskRefused } from './task-refused.ts';
import type { TaskRepository } from './task-repository.ts';

export interface TaskServiceOptions {
  readonly bus?: Pick<EventBus, 'publish'>;
  readonly permissions?: Permissions;
  readonly now?: () => Date;
}

/** Of one task in a bulk update. */
export type BulkResult = { readonly id: string } & (
  | { readonly task: Task }
  | { readonly error: { readonly code: string; readonly detail: string } }
);

type Field = keyof WantedChanges;
type MakeEvent = (task: Task, changes: TaskChanges, by: string) => TaskEvent;

/** Which fields of an update are which event, and who may change them. */
const UPDATES: readonly { readonly fields: readonly Field[]; readonly action: Action; readonly make: MakeEvent }[] = [
  { fields: ['title', 'description'], action: 'edit', make: EventFactory.createTaskUpdated },
  { fields: ['status'], action: 'edit', make: EventFactory.createTaskStatusChanged },
  { fields: ['priority'], action: 'edit', make: EventFactory.createTaskPriorityChanged },
  { fields: ['assignee'], action: 'assign', make: EventFactory.createTaskAssigned },
  { fields: ['collaborators'], action: 'share', make: EventFactory.createTaskCollaboratorsUpdated },
  { fields: ['watchers'], action: 'watch', make: EventFactory.createTaskWatchersUpdated },
];

export class EnhancedTaskService {
  readonly #repository: TaskRepository;
  readonly #bus: Pick<EventBus, 'publish'>;
  readonly #permissions: Permissions;
  readonly #now: () => Date;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(repository: TaskRepository, options: TaskServiceOptions = {}) {
    const { bus = globalEventBus, permissions = new Permissions(), now = () => new Date() } = options;
    this.#repository = repository;
    this.#bus = bus;
    this.#permissions = permissions;
    this.#now = now;
  }

  /** Throws `task_not_found`. */
  getTask(id: string): Task {
    const task = this.#repository.get(id);
    if (!task) throw new TaskRefused('task_not_found', `There is no task ${id}.`, { taskId: id });
    return task;
  }

  createTask(input: unknown, userId: string): Promise<Task> {
    return this.#command(userId, async (by) => {
      const wanted = readNewTask(input);
      const id = wanted.id ?? `t-${randomUUID().slice(0, 8)}`;
      if (this.#repository.get(id))
        throw new TaskRefused('task_exists', `There is a task ${id} already.`, { taskId: id });
      for (const dependency of wanted.dependencies) this.getTask(dependency);
      const at = this.#now().toISOString();
      const task: Task = { ...wanted, id, createdBy: by, createdAt: at, updatedAt: at, version: 1 };
      return this.#publish(EventFactory.createTaskCreated(task, by));
    });
  }

  /** Each kind of change is an event of its own; what is so already is none. */
  updateTask(id: string, input: unknown, userId: string): Promise<Task> {
    return this.#command(userId, (by) => this.#update(id, readChanges(input), by));
  }

  /** The same for many tasks, each by itself: one that may not be changed does not keep the others from it. */
  bulkUpdate(input: unknown, userId: string): Promise<readonly BulkResult[]> {
    const { ids, changes } = readBulk(input);
    return this.#command(userId, async (by) => {
      const results: BulkResult[] = [];
      for (const id of ids) results.push(await this.#updateOne(id, changes, by));
      return results;
    });
  }

  deleteTask(id: string, userId: string): Promise<Task> {
    return this.#command(userId, async (by) => {
      const task = this.getTask(id);
      this.#permissions.assert('delete', task, by);
      // Nobody can wait for what is not there.
      for (const waiting of this.#repository.waitingFor(id)) {
        await this.#changeDependencies(waiting, (known) => known.filter((each) => each !== id), by);
      }
      return this.#publish(EventFactory.createTaskDeleted(this.getTask(id), by));
    });
  }

  changeStatus(id: string, status: unknown, userId: string): Promise<Task> {
    return this.updateTask(id, { status }, userId);
  }

  changePriority(id: string, priority: unknown, userId: string): Promise<Task> {
    return this.updateTask(id, { priority }, userId);
  }

  assignTask(id: string, assignee: unknown, userId: string): Promise<Task> {
    return this.updateTask(id, { assignee }, userId);
  }

  updateCollaborators(id: string, collaborators: unknown, userId: string): Promise<Task> {
    return this.updateTask(id, { collaborators }, userId);
  }

  updateWatchers(id: string, watchers: unknown, userId: string): Promise<Task> {
    return this.updateTask(id, { watchers }, userId);
  }

  /** Throws `dependency_cycle` with the way back. */
  addDependency(id: string, dependsOn: string, userId: string): Promise<Task> {
    return this.#command(userId, async (by) => {
      this.#permissions.assert('edit', this.getTask(id), by);
      this.getTask(dependsOn);
      const cycle = dependencyCycle((each) => this.#repository.get(each), id, dependsOn);
      if (cycle)
        throw new TaskRefused('dependency_cycle', `That would close a circle: ${cycle.join(' → ')}.`, { cycle });
      return this.#changeDependencies(id, (known) => [...new Set([...known, dependsOn])], by);
    });
  }

  removeDependency(id: string, dependsOn: string, userId: string): Promise<Task> {
    return this.#command(userId, async (by) => {
      this.#permissions.assert('edit', this.getTask(id), by);
      return this.#changeDependencies(id, (known) => known.filter((each) => each !== dependsOn), by);
    });
  }

  async #updateOne(id: string, changes: WantedChanges, by: string): Promise<BulkResult> {
    try {
      return { id, task: await this.#update(id, changes, by) };
    } catch (error) {
      if (!(error instanceof TaskRefused)) throw error;
      return { id, error: { code: error.code, detail: error.message } };
    }
  }

  /** All of it is checked before the first event is published. */
  async #update(id: string, wanted: WantedChanges, by: string): Promise<Task> {
    let task = this.getTask(id);
    const changes = changeDiff(task, wanted as Partial<Task>);
    const steps = UPDATES.map((update) => ({ ...update, part: pick(changes, update.fields) })).filter(
      ({ part }) => Object.keys(part).length > 0,
    );
    for (const { action } of steps) this.#permissions.assert(action, task, by);
    if (changes.status?.to === 'done') this.#assertDependenciesDone(task);
    for (const { make, part } of steps) task = await this.#publish(make(this.#changed(task, part), part, by));
    return task;
  }

  async #changeDependencies(
    id: string,
    change: (known: readonly string[]) => readonly string[],
    by: string,
  ): Promise<Task> {
    const task = this.getTask(id);
    const changes = changeDiff(task, { dependencies: change(task.dependencies) });
    if (!changes.dependencies) return task;
    const isMore = changes.dependencies.to.length > changes.dependencies.from.length;
    const make = isMore ? EventFactory.createTaskDependencyAdded : EventFactory.createTaskDependencyRemoved;
    return this.#publish(make(this.#changed(task, changes), changes, by));
  }

  #assertDependenciesDone({ id, dependencies }: Task): void {
    const open = dependencies.filter((each) => this.#repository.get(each)?.status !== 'done');
    if (open.length === 0) return;
    throw new TaskRefused('dependency_open', `${id} waits for ${open.join(', ')}.`, { taskId: id, open });
  }

  #changed(task: Task, changes: TaskChanges): Task {
    const to = Object.fromEntries(Object.entries(changes).map(([field, change]) => [field, change.to]));
    return { ...task, ...to, updatedAt: this.#now().toISOString(), version: task.version + 1 };
  }

  /** Resolves when the log has the event, with the task behind it. */
  async #publish(event: TaskEvent): Promise<Task> {
    const result = await this.#bus.publish(event);
    if ('filtered' in result) throw new TaskRefused('not_stored', `The event was kept back by ${result.by}.`);
    this.#repository.apply(event, result.cursor);
    return event.payload.task;
  }

  #command<Result>(userId: string, carryOut: (by: string) => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(() => carryOut(readUserId(userId)));
    this.#turn = mine.catch(() => {});
    return mine;
  }
}

function pick(changes: TaskChanges, fields: readonly Field[]): TaskChanges {
  return Object.fromEntries(
    Object.entries(changes).filter(([field]) => fields.includes(field as Field)),
  ) as TaskChanges;
}

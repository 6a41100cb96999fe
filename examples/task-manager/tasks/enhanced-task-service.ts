/**
 * What can be done to tasks. A command is checked against the tasks as they are, becomes events, and is done when the log has
 * them: an answer means that it is durable. Commands are carried out one after the other, because each is checked against what
 * the ones before it did; the log is open in this process alone, so nobody else changes tasks meanwhile.
 *
 * A command of several events (an update of several fields, a bulk update, the end of a task that others wait for) is all or
 * nothing: task-command.ts says how.
 */
import { randomUUID } from 'node:crypto';
import { type EventBus, globalEventBus } from '@event-manager/core';
import { dependencyCycle } from './dependency-cycle.ts';
import { EventFactory, type TaskEvent } from './event-factory.ts';
import { Permissions } from './permissions.ts';
import { readBulk, readChanges, readNewTask, readUserId, type WantedChanges } from './read-input.ts';
import type { Task } from './task.ts';
import { actionsOf, type CommandOrigin, dependenciesEvent, eventsOf, type TaskCommand } from './task-command.ts';
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

  /** Tells what a crash left untold of the last command. To be called before anybody reads tasks; every command does it, too. */
  async finishLast(): Promise<void> {
    try {
      await this.#finish();
    } catch (error) {
      if (!(error instanceof TaskRefused)) throw error;
    }
  }

  /** Throws `task_not_found`. */
  getTask(id: string): Task {
    const task = this.#repository.get(id);
    if (!task) throw new TaskRefused('task_not_found', `There is no task ${id}.`, { taskId: id });
    return task;
  }

  createTask(input: unknown, userId: string): Promise<Task> {
    return this.#command(userId, async ({ by, at }) => {
      const wanted = readNewTask(input);
      const id = wanted.id ?? `t-${randomUUID().slice(0, 8)}`;
      if (this.#repository.get(id))
        throw new TaskRefused('task_exists', `There is a task ${id} already.`, { taskId: id });
      for (const dependency of wanted.dependencies) this.getTask(dependency);
      const task: Task = { ...wanted, id, createdBy: by, createdAt: at, updatedAt: at, version: 1 };
      await this.#publish(EventFactory.createTaskCreated(task, by));
      return task;
    });
  }

  /** Each kind of change is an event of its own; what is so already is none. */
  updateTask(id: string, input: unknown, userId: string): Promise<Task> {
    return this.#command(userId, async (origin) => {
      const changes = readChanges(input);
      this.#assertMay(this.getTask(id), changes, origin.by);
      await this.#carryOut({ ids: [id], changes }, origin);
      return this.getTask(id);
    });
  }

  /** The same for many tasks: one that may not be changed does not keep the others from it, and those are one command. */
  bulkUpdate(input: unknown, userId: string): Promise<readonly BulkResult[]> {
    const { ids, changes } = readBulk(input);
    return this.#command(userId, async (origin) => {
      const allowed = new Set<string>();
      const refused = new Map<string, BulkResult>();
      for (const id of ids) {
        const refusal = this.#refusalOf(id, changes, origin.by, allowed);
        if (refusal) refused.set(id, refusal);
        else allowed.add(id);
      }
      await this.#carryOut({ ids: [...allowed], changes }, origin);
      return ids.map((id) => refused.get(id) ?? { id, task: this.getTask(id) });
    });
  }

  deleteTask(id: string, userId: string): Promise<Task> {
    return this.#command(userId, async (origin) => {
      const task = this.getTask(id);
      this.#permissions.assert('delete', task, origin.by);
      await this.#carryOut({ deletes: id }, origin);
      return task;
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
    return this.#changeDependencies(id, userId, (known) => {
      this.getTask(dependsOn);
      const cycle = dependencyCycle((each) => this.#repository.get(each), id, dependsOn);
      if (cycle)
        throw new TaskRefused('dependency_cycle', `That would close a circle: ${cycle.join(' → ')}.`, { cycle });
      return [...new Set([...known, dependsOn])];
    });
  }

  removeDependency(id: string, dependsOn: string, userId: string): Promise<Task> {
    return this.#changeDependencies(id, userId, (known) => known.filter((each) => each !== dependsOn));
  }

  #changeDependencies(
    id: string,
    userId: string,
    change: (known: readonly string[]) => readonly string[],
  ): Promise<Task> {
    return this.#command(userId, async (origin) => {
      const task = this.getTask(id);
      this.#permissions.assert('edit', task, origin.by);
      for (const event of dependenciesEvent(task, change(task.dependencies), origin)) await this.#publish(event);
      return this.getTask(id);
    });
  }

  #refusalOf(id: string, changes: WantedChanges, by: string, before: ReadonlySet<string>): BulkResult | undefined {
    try {
      this.#assertMay(this.getTask(id), changes, by, before);
      return undefined;
    } catch (error) {
      if (!(error instanceof TaskRefused)) throw error;
      return { id, error: { code: error.code, detail: error.message } };
    }
  }

  /** All of it is checked before the first event is published. `before`: tasks that the same command changes in the same way. */
  #assertMay(task: Task, wanted: WantedChanges, by: string, before: ReadonlySet<string> = new Set()): void {
    for (const action of actionsOf(task, wanted)) this.#permissions.assert(action, task, by);
    if (wanted.status === 'done' && task.status !== 'done') this.#assertDependenciesDone(task, before);
  }

  #assertDependenciesDone({ id, dependencies }: Task, before: ReadonlySet<string>): void {
    const open = dependencies.filter((each) => !before.has(each) && this.#repository.get(each)?.status !== 'done');
    if (open.length === 0) return;
    throw new TaskRefused('dependency_open', `${id} waits for ${open.join(', ')}.`, { taskId: id, open });
  }

  /** Resolves when the log has every event of the command. With the first it is decided. */
  async #carryOut(command: TaskCommand, origin: CommandOrigin): Promise<void> {
    const [first, ...others] = eventsOf(command, this.#repository, origin);
    if (!first) return;
    const payload = others.length === 0 ? first.payload : { ...first.payload, command };
    await this.#publish({ ...first, payload, data: payload });
    await this.#finish();
  }

  async #finish(): Promise<void> {
    const { unfinished } = this.#repository;
    if (!unfinished) return;
    const { command, eventId, ...origin } = unfinished;
    for (const event of eventsOf(command, this.#repository, origin)) {
      await this.#publish({ ...event, causationId: eventId });
    }
    this.#repository.finished();
  }

  /** Resolves when the log has the event. A middleware that keeps one back ends the command there: it would do so again. */
  async #publish(event: TaskEvent & { readonly causationId?: string }): Promise<void> {
    const result = await this.#bus.publish(event);
    if ('filtered' in result) {
      this.#repository.finished();
      throw new TaskRefused('not_stored', `The event was kept back by ${result.by}.`);
    }
    this.#repository.apply(event, result.cursor);
  }

  #command<Result>(userId: string, carryOut: (origin: CommandOrigin) => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(async () => {
      await this.#finish();
      return carryOut({ by: readUserId(userId), at: this.#now().toISOString() });
    });
    this.#turn = mine.catch(() => {});
    return mine;
  }
}

import type { EventManager } from '@event-manager/core';
import type { Task } from './task.ts';
import type { CommandOrigin, TaskCommand } from './task-command.ts';
import type { TaskEventPayload } from './task-events.ts';

/** All tasks, and the cursor of the log that they are the state at. */
export interface TaskSnapshot {
  readonly tasks: readonly Task[];
  readonly cursor: string;
}

/** A command whose first event is in the log, and perhaps not all the others. */
export interface UnfinishedCommand extends CommandOrigin {
  readonly command: TaskCommand;
  /** Id of the first event, which is the cause of the others. */
  readonly eventId: string;
}

/** What is read of an event in the log. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly causationId?: string | undefined;
}

/**
 * The tasks as the events say they are. Nothing of them is kept beside the log: after a restart, also after `kill -9`, the events
 * are folded again, and what was acknowledged is there.
 */
export class TaskRepository {
  readonly #tasks = new Map<string, Task>();
  #cursor: string;
  #unfinished: UnfinishedCommand | undefined;

  private constructor(cursor: string) {
    this.#cursor = cursor;
  }

  static async rebuild(events: Pick<EventManager, 'stream' | 'foldEvents'>): Promise<TaskRepository> {
    const end = await events.stream({ from: 'latest' });
    const repository = new TaskRepository(end.cursor);
    end.close();
    await events.foldEvents({
      topic: 'task.*',
      initial: repository.#tasks,
      apply: (_tasks, event) => repository.#fold(event),
    });
    return repository;
  }

  get(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  get size(): number {
    return this.#tasks.size;
  }

  /** The oldest first. */
  snapshot(): TaskSnapshot {
    return { tasks: [...this.#tasks.values()], cursor: this.#cursor };
  }

  /** Ids of the tasks that wait for this one. */
  waitingFor(id: string): readonly string[] {
    return [...this.#tasks.values()].filter(({ dependencies }) => dependencies.includes(id)).map((task) => task.id);
  }

  /** Takes in an event that is in the log, in the order of the log. */
  apply(event: LoggedEvent, cursor: string): void {
    this.#fold(event);
    this.#cursor = cursor;
  }

  /** The last command, while nobody said that all of its events are there. */
  get unfinished(): UnfinishedCommand | undefined {
    return this.#unfinished;
  }

  finished(): void {
    this.#unfinished = undefined;
  }

  #fold({ id, type, payload, causationId }: LoggedEvent): void {
    const { task, by, command } = payload as TaskEventPayload;
    if (command) this.#unfinished = { command, by, at: task.updatedAt, eventId: id };
    else if (causationId !== this.#unfinished?.eventId) this.#unfinished = undefined;
    if (type === 'task_deleted') this.#tasks.delete(task.id);
    else this.#tasks.set(task.id, task);
  }
}

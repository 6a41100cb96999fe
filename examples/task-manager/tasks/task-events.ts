import type { Task, TaskChanges } from './task.ts';
import type { TaskCommand } from './task-command.ts';

/** What each event of a task says: the task as it is behind the event, what changed, and who did it. */
export interface TaskEventPayload {
  readonly task: Task;
  readonly changes: TaskChanges;
  readonly by: string;
  /** In the first event of several: all that is to follow from it, whatever becomes of the process meanwhile. */
  readonly command?: TaskCommand;
}

/**
 * The ten events of a task: its type, and the topic beneath `task`. All of one task are one flow (`correlationId`), so its
 * history is one question, and one order (`orderingKey`). Whoever only watches is told when there is room for it.
 */
const draft = (
  what: string,
  task: Task,
  by: string,
  changes: TaskChanges = {},
  priority: 'NORMAL' | 'LOW' = 'NORMAL',
) => ({
  topic: `task/${what}`,
  source: 'task-manager',
  priority,
  payload: { task, changes, by } satisfies TaskEventPayload as TaskEventPayload,
  correlationId: task.id,
  metadata: { userId: by, orderingKey: task.id },
});

export const TASK_EVENTS = {
  task_created: (task: Task, createdBy: string) => draft('created', task, createdBy),
  task_updated: (task: Task, changes: TaskChanges, by: string) => draft('updated', task, by, changes),
  task_deleted: (task: Task, deletedBy: string) => draft('deleted', task, deletedBy),
  task_status_changed: (task: Task, changes: TaskChanges, by: string) => draft('status', task, by, changes),
  task_priority_changed: (task: Task, changes: TaskChanges, by: string) => draft('priority', task, by, changes),
  task_assigned: (task: Task, changes: TaskChanges, by: string) => draft('assigned', task, by, changes),
  task_collaborators_updated: (task: Task, changes: TaskChanges, by: string) =>
    draft('collaborators', task, by, changes),
  task_watchers_updated: (task: Task, changes: TaskChanges, by: string) => draft('watchers', task, by, changes, 'LOW'),
  task_dependency_added: (task: Task, changes: TaskChanges, by: string) => draft('dependency/added', task, by, changes),
  task_dependency_removed: (task: Task, changes: TaskChanges, by: string) =>
    draft('dependency/removed', task, by, changes),
} as const;

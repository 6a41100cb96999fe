import type { EventDraft } from './create-event-factory.ts';

/** As much of a task as its events need; whatever else it has goes along. */
export interface TaskFields {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** What a field was and is. */
export interface FieldChange {
  readonly from: unknown;
  readonly to: unknown;
}

/** By the names of the fields that changed. */
export type TaskChanges = Readonly<Record<string, unknown>>;

/** A list of people before and after. */
export interface PeopleChange {
  readonly taskId: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changedBy: string;
}

/**
 * The ten events of tasks: topic `task/created` for the type `task_created`, and so on. All events of one task have its id as
 * their ordering key, so a subscription in that order sees the life of each task as it was.
 */
export const TASK_EVENTS = {
  task_created: (task: TaskFields, createdBy: string) => about(task.id, createdBy, 'created', { task, createdBy }),
  task_updated: (task: TaskFields, changes: TaskChanges, updatedBy: string) =>
    about(task.id, updatedBy, 'updated', { task, changes, updatedBy }),
  task_deleted: (taskId: string, deletedBy: string) => about(taskId, deletedBy, 'deleted', { taskId, deletedBy }),
  task_status_changed: (task: TaskFields, oldStatus: string, newStatus: string, changedBy: string) =>
    about(task.id, changedBy, 'status_changed', { task, taskId: task.id, oldStatus, newStatus, changedBy }),
  task_priority_changed: (task: TaskFields, oldPriority: string, newPriority: string, changedBy: string) =>
    about(task.id, changedBy, 'priority_changed', { task, taskId: task.id, oldPriority, newPriority, changedBy }),
  task_assigned: (task: TaskFields, assignee: string | null, assignedBy: string, previousAssignee?: string) =>
    about(task.id, assignedBy, 'assigned', {
      task,
      taskId: task.id,
      assignee,
      assignedBy,
      ...(previousAssignee === undefined ? {} : { previousAssignee }),
    }),
  task_collaborators_updated: (taskId: string, change: Omit<PeopleChange, 'taskId'>) =>
    about(taskId, change.changedBy, 'collaborators_updated', { taskId, ...change }),
  task_watchers_updated: (taskId: string, change: Omit<PeopleChange, 'taskId'>) =>
    about(taskId, change.changedBy, 'watchers_updated', { taskId, ...change }),
  task_dependency_added: (taskId: string, dependsOn: string, addedBy: string) =>
    about(taskId, addedBy, 'dependency_added', { taskId, dependsOn, addedBy }),
  task_dependency_removed: (taskId: string, dependsOn: string, removedBy: string) =>
    about(taskId, removedBy, 'dependency_removed', { taskId, dependsOn, removedBy }),
} as const;

function about<Payload>(taskId: string, userId: string, what: string, payload: Payload) {
  const draft = { topic: `task/${what}`, payload, metadata: { userId, orderingKey: taskId } };
  return draft satisfies EventDraft<Payload>;
}

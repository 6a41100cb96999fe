export const STATUSES = ['todo', 'in-progress', 'review', 'done'] as const;
export const PRIORITIES = ['low', 'medium', 'high'] as const;
export type TaskStatus = (typeof STATUSES)[number];
export type TaskPriority = (typeof PRIORITIES)[number];

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly status: TaskStatus;
  readonly priority: TaskPriority;
  readonly assignee: string | null;
  /** Who may change it, beside its creator and assignee. */
  readonly collaborators: readonly string[];
  /** Who wants to hear of it. */
  readonly watchers: readonly string[];
  /** Ids of the tasks that have to be done before. */
  readonly dependencies: readonly string[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Events it was made of. */
  readonly version: number;
}

/** What was, and what is. */
export interface Change<Value = unknown> {
  readonly from: Value;
  readonly to: Value;
}

export type TaskChanges = { readonly [Field in keyof Task]?: Change<Task[Field]> };

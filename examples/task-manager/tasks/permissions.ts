import type { Task } from './task.ts';
import { TaskRefused } from './task-refused.ts';

export type Action = 'edit' | 'assign' | 'share' | 'delete' | 'watch';

type Role = 'creator' | 'assignee' | 'collaborator';

/** Who may do what to a task. Everybody may read, create and watch; administrators may everything. */
const MAY: Readonly<Record<Action, readonly Role[] | 'everybody'>> = {
  edit: ['creator', 'assignee', 'collaborator'],
  assign: ['creator', 'assignee'],
  share: ['creator'],
  delete: ['creator'],
  watch: 'everybody',
};

function rolesOf(task: Task, userId: string): ReadonlySet<Role> {
  const roles = new Set<Role>();
  if (task.createdBy === userId) roles.add('creator');
  if (task.assignee === userId) roles.add('assignee');
  if (task.collaborators.includes(userId)) roles.add('collaborator');
  return roles;
}

export class Permissions {
  readonly #administrators: ReadonlySet<string>;

  constructor(administrators: readonly string[] = []) {
    this.#administrators = new Set(administrators);
  }

  /** Throws `not_permitted`. */
  assert(action: Action, task: Task, userId: string): void {
    const may = MAY[action];
    if (may === 'everybody' || this.#administrators.has(userId)) return;
    const roles = rolesOf(task, userId);
    if (may.some((role) => roles.has(role))) return;
    throw new TaskRefused('not_permitted', `${userId} may not ${action} this task; ${may.join(' or ')} may.`, {
      action,
      taskId: task.id,
    });
  }
}

import type { EnhancedTaskService } from '../../examples/task-manager/tasks/enhanced-task-service.ts';

/** Tasks `a`, `b` and `c`, of which the last two wait for the first. */
export async function makeTasks(tasks: EnhancedTaskService): Promise<void> {
  await tasks.createTask({ id: 'a', title: 'A' }, 'ann');
  await tasks.createTask({ id: 'b', title: 'B', dependencies: ['a'] }, 'ann');
  await tasks.createTask({ id: 'c', title: 'C', dependencies: ['a'], priority: 'high' }, 'ann');
}

/** Commands of several events each. */
export const COMMANDS = {
  update: (tasks: EnhancedTaskService) =>
    tasks.updateTask('a', { status: 'review', priority: 'high', assignee: 'bob', watchers: ['dan'] }, 'ann'),
  bulk: (tasks: EnhancedTaskService) =>
    tasks.bulkUpdate({ ids: ['a', 'b', 'c'], changes: { title: 'New', priority: 'high' } }, 'ann'),
  delete: (tasks: EnhancedTaskService) => tasks.deleteTask('a', 'ann'),
} as const;

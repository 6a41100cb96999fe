import { isDeepStrictEqual } from 'node:util';
import type { Task, TaskChanges } from './task.ts';

/** What of the wanted fields is not so yet; empty when nothing would change. */
export function changeDiff(task: Task, wanted: Partial<Task>): TaskChanges {
  const entries = Object.entries(wanted).flatMap(([field, to]) => {
    const from = task[field as keyof Task];
    return to === undefined || isDeepStrictEqual(from, to) ? [] : [[field, { from, to }] as const];
  });
  return Object.fromEntries(entries) as TaskChanges;
}

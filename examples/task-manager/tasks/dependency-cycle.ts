import type { Task } from './task.ts';

/** The way back from a task to itself that a new dependency would close, or `undefined`. */
export function dependencyCycle(
  find: (id: string) => Pick<Task, 'dependencies'> | undefined,
  taskId: string,
  dependsOn: string,
): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[dependsOn, undefined]]);
  const open = [dependsOn];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === taskId) return wayTo(id, cameFrom);
    for (const next of find(id)?.dependencies ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, id);
      open.push(next);
    }
  }
  return undefined;
}

function wayTo(goal: string, cameFrom: ReadonlyMap<string, string | undefined>): readonly string[] {
  const way: string[] = [];
  for (let id: string | undefined = goal; id !== undefined; id = cameFrom.get(id)) way.unshift(id);
  return [goal, ...way];
}
